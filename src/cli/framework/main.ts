import process from 'node:process';
import { PithError } from '../../util/errors.ts';
import { nearestName } from '../../util/nearest-name.ts';
import { version } from '../../util/version.ts';
import { parseArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { startSession } from './context.ts';
import { isIsolated, runIsolated } from './isolated.ts';
import { commandHelp, programHelp } from './help.ts';
import { watchOutput, type Output } from './output.ts';
import { describeError, errorReport, exitCodeOf, normalizeError } from './report-error.ts';

/** Loads a command's module; the others stay on disk. */
export type CommandLoader = () => Promise<Command>;

type Commands = Readonly<Record<string, CommandLoader>>;

/** Exit code of a tool whose reader went away, as a shell reports SIGPIPE. */
const readerGone = 141;

/**
 * Runs one command line and returns the exit code; prints, but never ends the process, so that
 * pending writes are not lost.
 */
export async function main(commands: Commands, argv: readonly string[]): Promise<number> {
  const output = watchOutput();
  try {
    const exitCode = await dispatch(commands, argv, output);
    return (await output.flush()) ? exitCode : readerGone;
  } catch (thrown) {
    const error = normalizeError(thrown);
    if (argv.includes('--json')) print(JSON.stringify(errorReport(error)));
    else process.stderr.write(`${describeError(error, Boolean(process.env['PITH_DEBUG']))}\n`);
    return exitCodeOf(error);
  }
}

async function dispatch(
  commands: Commands,
  argv: readonly string[],
  output: Output,
): Promise<number> {
  const [first, ...rest] = argv;
  if (first === '--version' || first === '-v') return print(version);
  if (first === undefined || first === '--help' || first === '-h') {
    const all = await Promise.all(Object.values(commands).map((loader) => loader()));
    return print(programHelp(all, version));
  }
  return runCommand(await load(commands, first), rest, output);
}

async function load(commands: Commands, name: string): Promise<Command> {
  const loader = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (loader) return loader();
  const isOption = name.startsWith('-');
  const known = isOption ? ['--help', '--version'] : Object.keys(commands);
  const near = nearestName(name, known);
  throw new PithError(
    'usage',
    isOption ? `Unknown option ${name}.` : `There is no command "${name}".`,
    near ? `Did you mean pith ${near}?` : 'See pith --help.',
  );
}

async function runCommand(
  command: Command,
  argv: readonly string[],
  output: Output,
): Promise<number> {
  const args = parseArguments(command, argv);
  const { json, quiet, help } = args.options;
  if (help) return print(commandHelp(command));
  if (command.isolated && !isIsolated()) return runIsolated([command.name, ...argv]);
  const session = startSession({ json, quiet }, output);
  try {
    const report = await command.run(session.context, args);
    session.end();
    if (json) print(JSON.stringify(report));
    else if (command.render) print(command.render(report));
    return 'ok' in report && report.ok === false ? 1 : 0;
  } catch (error) {
    if (await output.flush()) throw error;
    return readerGone;
  } finally {
    session.end();
  }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
