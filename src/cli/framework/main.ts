import { readFileSync } from 'node:fs';
import process from 'node:process';
import { PithError } from '../../util/errors.ts';
import { nearestName } from '../../util/nearest-name.ts';
import { parseArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { startSession, type Session } from './context.ts';
import { commandHelp, programHelp } from './help.ts';
import { describeError, errorReport, exitCodeOf, normalizeError } from './report-error.ts';

/** Loads a command's module; the others stay on disk. */
export type CommandLoader = () => Promise<Command>;

/**
 * Runs one command line and returns the exit code; prints, but never ends the process, so that
 * pending writes are not lost.
 */
export async function main(
  commands: Readonly<Record<string, CommandLoader>>,
  argv: readonly string[],
): Promise<number> {
  const json = argv.includes('--json');
  try {
    return await dispatch(commands, argv);
  } catch (thrown) {
    const error = normalizeError(thrown);
    if (json) process.stdout.write(`${JSON.stringify(errorReport(error))}\n`);
    else process.stderr.write(`${describeError(error, Boolean(process.env['PITH_DEBUG']))}\n`);
    return exitCodeOf(error);
  }
}

async function dispatch(
  commands: Readonly<Record<string, CommandLoader>>,
  argv: readonly string[],
): Promise<number> {
  const [first, ...rest] = argv;
  if (first === '--version' || first === '-v') return print(version());
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    const name = first === 'help' ? rest[0] : undefined;
    if (name !== undefined) return print(commandHelp(await load(commands, name)));
    const all = await Promise.all(Object.values(commands).map((loader) => loader()));
    return print(programHelp(all, version()));
  }
  return runCommand(await load(commands, first), rest);
}

async function load(
  commands: Readonly<Record<string, CommandLoader>>,
  name: string,
): Promise<Command> {
  const loader = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (loader) return loader();
  const near = nearestName(name, Object.keys(commands));
  throw new PithError(
    'usage',
    name.startsWith('-') ? `Unknown option ${name}.` : `There is no command "${name}".`,
    near ? `Did you mean pith ${near}?` : 'See pith --help.',
  );
}

async function runCommand(command: Command, argv: readonly string[]): Promise<number> {
  const args = parseArguments(command, argv);
  const { json, quiet, help } = args.options;
  if (help) return print(commandHelp(command));
  const session = startSession({ json, quiet });
  try {
    const report = await command.run(session.context, args);
    session.end();
    if (json) print(JSON.stringify(report));
    else if (command.render) print(command.render(report));
    return (await checkOutput(session)) ?? ('ok' in report && report.ok === false ? 1 : 0);
  } catch (error) {
    const exitCode = await checkOutput(session);
    if (exitCode !== undefined) return exitCode;
    throw error;
  } finally {
    session.end();
  }
}

/** The exit code when the reader went away (as a shell reports SIGPIPE), which is no error. */
async function checkOutput(session: Session): Promise<number | undefined> {
  const error = await session.flush();
  if (error === undefined) return undefined;
  if (error.code === 'EPIPE') return 141;
  throw new PithError('io', `Writing the output failed: ${error.message}.`, undefined, {
    cause: error,
  });
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

/** The version in package.json. */
export function version(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
