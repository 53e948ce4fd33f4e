import { parseArgs } from 'node:util';
import { PithError } from '../../util/errors.ts';
import { nearestName } from '../../util/nearest-name.ts';
import { parseBytes } from '../../util/format-units.ts';
import {
  commonOptions,
  type Arguments,
  type Command,
  type OptionSpec,
  type OptionSpecs,
  type PositionalSpecs,
} from './command.ts';

type Value = string | number | boolean;
type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

/**
 * Parses what follows `pith COMMAND` by the command's specs and the common options.
 *
 * @throws PithError `usage`: unknown option (with the nearest known one), missing or wrong value,
 * missing or surplus positional.
 */
export function parseArguments<O extends OptionSpecs, P extends PositionalSpecs>(
  command: Command<O, P>,
  argv: readonly string[],
): Arguments<O & typeof commonOptions, P> {
  const specs: OptionSpecs = { ...command.options, ...commonOptions };
  const tokens = tokenize(specs, argv);
  const options: Record<string, Value | Value[] | undefined> = {};
  for (const [name, spec] of Object.entries(specs)) {
    options[name] = spec.multiple ? [] : (spec.default ?? (isBoolean(spec) ? false : undefined));
  }
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const value = optionValue(specs, token, command.name);
    const list = options[token.name];
    if (Array.isArray(list)) list.push(value);
    else options[token.name] = value;
  }
  const help = options['help'] === true;
  const positionals = help ? {} : namePositionals(command, words);
  if (!help) requireOptions(command, options);
  return { options, positionals } as unknown as Arguments<O & typeof commonOptions, P>;
}

const isBoolean = (spec: OptionSpec) => spec.type === 'boolean';

function tokenize(specs: OptionSpecs, argv: readonly string[]): Token[] {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      {
        type: isBoolean(spec) ? ('boolean' as const) : ('string' as const),
        ...(spec.short && { short: spec.short }),
      },
    ]),
  );
  const settings = { args: [...argv], options, strict: false, tokens: true } as const;
  return parseArgs(settings).tokens;
}

function optionValue(specs: OptionSpecs, token: OptionToken, command: string): Value {
  const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
  if (!spec) throw unknownOption(specs, token, command);
  if (isBoolean(spec)) {
    if (token.value === undefined) return true;
    throw new PithError(
      'usage',
      `${token.rawName} takes no value, "${token.value}" was given.`,
      `Write ${token.rawName} alone.`,
    );
  }
  if (token.value === undefined || (!token.inlineValue && isFlag(specs, token.value))) {
    throw new PithError(
      'usage',
      `${token.rawName} needs a value.`,
      `Write ${token.rawName} ${placeholder(token.name, spec)}: ${spec.description}`,
    );
  }
  return convert(spec, token.rawName, token.value);
}

/** Whether a word is one of the options, so that `-o --json` is not a file named `--json`. */
function isFlag(specs: OptionSpecs, word: string): boolean {
  return Object.entries(specs).some(
    ([name, { short }]) => word === `--${name}` || (short !== undefined && word === `-${short}`),
  );
}

function unknownOption(specs: OptionSpecs, token: OptionToken, command: string): PithError {
  const near = nearestName(token.name, Object.keys(specs));
  return new PithError(
    'usage',
    `Unknown option ${token.rawName}.`,
    near ? `Did you mean --${near}?` : `See pith ${command} --help.`,
  );
}

function convert(spec: OptionSpec, flag: string, text: string): Value {
  if (spec.type === 'bytes') return parseBytes(text);
  if (spec.type === 'string') return checkChoice(spec, flag, text);
  const value = text.trim() === '' ? NaN : Number(text);
  const { min = -Infinity, max = Infinity } = spec;
  const fits = spec.type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (fits && value >= min && value <= max) return value;
  const kind = spec.type === 'integer' ? 'a whole number' : 'a number';
  const problem = `${flag} must be ${kind}${rangeOf(spec)}, not "${text}".`;
  throw new PithError('usage', problem, `What it is: ${spec.description}`);
}

function rangeOf({ min, max }: OptionSpec): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}

function checkChoice(spec: OptionSpec, flag: string, text: string): string {
  if (!spec.choices || spec.choices.includes(text)) return text;
  const near = nearestName(text, spec.choices);
  throw new PithError(
    'usage',
    `${flag} must be one of ${spec.choices.join(', ')}; not "${text}".`,
    near && `Did you mean ${near}?`,
  );
}

function namePositionals(
  command: Command,
  words: readonly string[],
): Record<string, string | readonly string[]> {
  const specs = Object.entries(command.positionals);
  const [lastName, last] = specs.at(-1) ?? [];
  if (words.length > specs.length && !last?.multiple) {
    throw new PithError(
      'usage',
      `pith ${command.name} takes ${specs.length} argument${specs.length === 1 ? '' : 's'}, ` +
        `"${words[specs.length]}" is one too many.`,
      `Put quotes around text with spaces. See pith ${command.name} --help.`,
    );
  }
  const missing = specs.find(([, { optional }], index) => !optional && index >= words.length);
  if (missing) {
    throw new PithError(
      'usage',
      `${missing[0].toUpperCase()} is missing: ${missing[1].description}`,
      `For example: ${command.examples[0]}`,
    );
  }
  const named = Object.fromEntries(specs.map(([name], index) => [name, words[index]!]));
  return last?.multiple ? { ...named, [lastName!]: words.slice(specs.length - 1) } : named;
}

function requireOptions(command: Command, options: Readonly<Record<string, unknown>>): void {
  for (const [name, spec] of Object.entries(command.options)) {
    if (!spec.required || options[name] !== undefined) continue;
    throw new PithError(
      'usage',
      `--${name} is missing: ${spec.description}`,
      `For example: ${command.examples[0]}`,
    );
  }
}

/** What stands for an option's value in help and messages. */
export function placeholder(name: string, spec: OptionSpec): string {
  return spec.value ?? (spec.choices ? spec.choices.join('|') : name.toUpperCase());
}
