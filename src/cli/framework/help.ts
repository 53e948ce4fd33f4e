import { formatTable } from '../terminal/table.ts';
import { placeholder } from './arguments.ts';
import { commonOptions, type Command, type OptionSpec } from './command.ts';

/** Help of one command: usage, arguments, options and examples. */
export function commandHelp(command: Command): string {
  const positionals = Object.entries(command.positionals).map(([name, { description }]) => [
    `  ${name.toUpperCase()}`,
    description,
  ]);
  const options = Object.entries({ ...command.options, ...commonOptions });
  return [
    `pith ${command.name}: ${command.summary}`,
    `Usage: ${usageLine(command)}`,
    ...(command.description ? [command.description] : []),
    columns([...positionals, ...options.map(([name, spec]) => optionRow(name, spec))]),
    `Examples:\n${command.examples.map((line) => `  ${line}`).join('\n')}`,
  ].join('\n\n');
}

function usageLine(command: Command): string {
  const positionals = Object.entries(command.positionals).map(([name, { optional }]) =>
    optional ? `[${name.toUpperCase()}]` : name.toUpperCase(),
  );
  const required = Object.entries(command.options)
    .filter(([, spec]) => spec.required)
    .map(([name, spec]) => `${shortest(name, spec)} ${placeholder(name, spec)}`);
  return ['pith', command.name, ...positionals, ...required, '[options]'].join(' ');
}

const shortest = (name: string, spec: OptionSpec) => (spec.short ? `-${spec.short}` : `--${name}`);

function optionRow(name: string, spec: OptionSpec): string[] {
  const short = spec.short ? `-${spec.short}, ` : '    ';
  const value = spec.type === 'boolean' ? '' : ` ${placeholder(name, spec)}`;
  const fallback = spec.default === undefined ? '' : ` Default: ${spec.default}.`;
  const repeat = spec.multiple ? ' May be repeated.' : '';
  return [`  ${short}--${name}${value}`, `${spec.description}${fallback}${repeat}`];
}

function columns(rows: readonly (readonly string[])[]): string {
  return formatTable([{ heading: '' }, { heading: '' }], rows);
}

/** Help of `pith` itself: every command with its summary, and how to go on. */
export function programHelp(commands: readonly Command[], version: string): string {
  return [
    `pith ${version}: makes language models smaller, smarter and faster, and proves what survived.`,
    'Usage: pith COMMAND [arguments]',
    columns(commands.map(({ name, summary }) => [`  ${name}`, summary])),
    columns([
      ['  pith COMMAND --help', 'Options and examples of a command.'],
      ['  pith --version', 'The version of Pith.'],
    ]),
  ].join('\n\n');
}
