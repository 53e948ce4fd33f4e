import type { OnProgress } from '../../util/progress.ts';

/** An option of a command; its type decides the type of the parsed value. */
export interface OptionSpec {
  readonly type: 'boolean' | 'string' | 'integer' | 'number' | 'bytes';
  readonly description: string;
  readonly short?: string;
  /** What to call the value in the help, for example `TYPE`. */
  readonly value?: string;
  readonly default?: string | number | boolean;
  readonly required?: true;
  /** May be given several times; the value is a list. */
  readonly multiple?: true;
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
}

/** A positional argument; an optional one, or one that takes several words, may only come last. */
export interface PositionalSpec {
  readonly description: string;
  readonly optional?: true;
  /** Takes all words that are left, at least one; the value is a list. */
  readonly multiple?: true;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;
export type PositionalSpecs = Readonly<Record<string, PositionalSpec>>;

type Single<O extends OptionSpec> = O['type'] extends 'boolean'
  ? boolean
  : O['type'] extends 'string'
    ? O extends { readonly choices: readonly (infer Choice)[] }
      ? Choice
      : string
    : number;

type AlwaysSet =
  | { readonly default: string | number | boolean }
  | { readonly required: true }
  | { readonly type: 'boolean' };

type OptionValue<O extends OptionSpec> = O extends { readonly multiple: true }
  ? readonly Single<O>[]
  : O extends AlwaysSet
    ? Single<O>
    : Single<O> | undefined;

type PositionalValue<P extends PositionalSpec> = P extends { readonly multiple: true }
  ? readonly string[]
  : P extends { readonly optional: true }
    ? string | undefined
    : string;

/** Parsed options, typed by their specs. */
export type OptionValues<O extends OptionSpecs> = {
  readonly [Name in keyof O]: OptionValue<O[Name]>;
};

/** Parsed arguments of a command, typed by its specs. */
export interface Arguments<O extends OptionSpecs, P extends PositionalSpecs> {
  readonly options: OptionValues<O>;
  readonly positionals: { readonly [Name in keyof P]: PositionalValue<P[Name]> };
}

/** What a command may use of the outside world. */
export interface CommandContext {
  /** Aborted by Ctrl-C and by a closed output pipe. */
  readonly signal: AbortSignal;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Writes data to stdout as it comes; silent under `--json`, where the report holds it. */
  write(text: string): void;
  /** Writes a line to stderr; silent under `--quiet`. */
  note(line: string): void;
  /** Shows a bar on stderr; silent under `--quiet` and `--json`. */
  readonly onProgress: OnProgress;
}

/**
 * A command: data for parsing and help, and a thin `run` that calls the library.
 *
 * `run` returns the report that `--json` prints; `render` turns it into text for people. A report
 * with `ok: false` makes the exit code 1.
 */
export interface Command<
  O extends OptionSpecs = OptionSpecs,
  P extends PositionalSpecs = PositionalSpecs,
  Report extends object = object,
> {
  readonly name: string;
  readonly summary: string;
  /** More help than the summary: what it does, what it assumes. */
  readonly description?: string;
  /** Command lines that work as they stand, the shortest first. */
  readonly examples: readonly string[];
  readonly positionals: P;
  readonly options: O;
  /** Hands a file to native code, which a hostile one can crash: runs in a process of its own. */
  readonly isolated?: true;
  run(context: CommandContext, args: Arguments<O, P>): Promise<Report>;
  render?(report: Report): string;
}

/** Types a command by its own specs: `args.options.threads` is a number where the spec says so. */
export function defineCommand<
  const O extends OptionSpecs,
  const P extends PositionalSpecs,
  Report extends object,
>(command: Command<O, P, Report>): Command<O, P, Report> {
  return command;
}

/** Options that every command has. */
export const commonOptions = {
  json: { type: 'boolean', description: 'Print one JSON object on stdout.' },
  quiet: { type: 'boolean', short: 'q', description: 'No progress and no notes.' },
  help: { type: 'boolean', short: 'h', description: 'Show this help.' },
} as const satisfies OptionSpecs;
