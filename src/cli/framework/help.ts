import { displayWidth } from '../terminal/table.ts';
import { wrap } from '../terminal/wrap.ts';
import { placeholder } from './arguments.ts';
import { commonOptions, type Command, type OptionSpec } from './command.ts';

const width = 96;
const widestName = 26;

/** Help of one command: usage, arguments, options and examples. */
export function commandHelp(command: Command): string {
  const positionals = Object.entries(command.positionals).map(
    ([name, { description }]): [string, string] => [`  ${name.toUpperCase()}`, description],
  );
  const options = Object.entries({ ...command.options, ...commonOptions });
  return [
    `pith ${command.name}: ${command.summary}`,
    `Usage: ${usageLine(command)}`,
    ...(command.description ? [paragraphs(command.description)] : []),
    columns([...positionals, ...options.map(([name, spec]) => optionRow(name, spec))]),
    `Examples:\n${command.examples.map((line) => `  ${line}`).join('\n')}`,
  ].join('\n\n');
}

/** A description is broken where the screen ends, whatever the lines of its source; a blank line parts. */
function paragraphs(description: string): string {
  const texts = description.split('\n\n').map((text) => text.replaceAll('\n', ' '));
  return texts.map((text) => wrap(text, width).join('\n')).join('\n\n');
}

function usageLine(command: Command): string {
  const positionals = Object.entries(command.positionals).map(([name, spec]) => {
    const shown = name.toUpperCase() + (spec.multiple ? '...' : '');
    return spec.optional ? `[${shown}]` : shown;
  });
  const required = Object.entries(command.options)
    .filter(([, spec]) => spec.required)
    .map(([name, spec]) => `${shortest(name, spec)} ${placeholder(name, spec)}`);
  return ['pith', command.name, ...positionals, ...required, '[options]'].join(' ');
}

const shortest = (name: string, spec: OptionSpec) => (spec.short ? `-${spec.short}` : `--${name}`);

function optionRow(name: string, spec: OptionSpec): [string, string] {
  const short = spec.short ? `-${spec.short}, ` : '    ';
  const value = spec.type === 'boolean' ? '' : ` ${placeholder(name, spec)}`;
  const fallback = spec.default === undefined ? '' : ` Default: ${spec.default}.`;
  const repeat = spec.multiple ? ' May be repeated.' : '';
  return [`  ${short}--${name}${value}`, `${spec.description}${fallback}${repeat}`];
}

/** Names on the left, what they mean on the right, wrapped; a long name has a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const widths = rows.map(([name]) => displayWidth(name));
  const indent = Math.max(...widths.filter((columns) => columns <= widestName)) + 2;
  const lines = rows.flatMap(([name, text]) => {
    const [first = '', ...rest] = wrap(text, width - indent);
    const beside = displayWidth(name) + 2 <= indent;
    const begin = beside ? [name.padEnd(indent) + first] : [name, ' '.repeat(indent) + first];
    return [...begin, ...rest.map((line) => ' '.repeat(indent) + line)];
  });
  return lines.join('\n');
}

/** Help of `pith` itself: every command with its summary, and how to go on. */
export function programHelp(commands: readonly Command[], version: string): string {
  return [
    `pith ${version}: makes language models smaller, smarter and faster, and proves what survived.`,
    'Usage: pith COMMAND [arguments]',
    columns(commands.map(({ name, summary }): [string, string] => [`  ${name}`, summary])),
    columns([
      ['  pith COMMAND --help', 'Options and examples of a command.'],
      ['  pith --version', 'The version of Pith.'],
    ]),
  ].join('\n\n');
}
