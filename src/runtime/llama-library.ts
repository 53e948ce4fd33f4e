import type * as NodeLlamaCpp from 'node-llama-cpp';
import { openGguf } from '../formats/gguf/open.ts';
import type { Metadata } from '../formats/gguf/metadata.ts';
import { openFile } from '../storage/file-source.ts';
import { PithError } from '../util/errors.ts';

type Library = typeof NodeLlamaCpp;

/** The release of node-llama-cpp that Pith is tested with. */
export const llamaLibraryVersion = '3.22.1';

const keptLogLines = 40;

/** Whether an instance was started in this process. */
let isStarted = false;

/** llama.cpp, started: the library, an instance of its own and the end of its log. */
export interface StartedLlama {
  readonly library: Library;
  readonly llama: NodeLlamaCpp.Llama;
  /** The latest warnings and errors that llama.cpp logged, oldest first. */
  readonly log: readonly string[];
}

/**
 * Loads node-llama-cpp, which is optional.
 *
 * @throws PithError `engine-missing` when it is not installed, `engine` when this platform has no build.
 */
export async function importLlama(): Promise<Library> {
  try {
    return await import('node-llama-cpp');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    throw new PithError(
      missing ? 'engine-missing' : 'engine',
      missing
        ? 'Running models needs node-llama-cpp, which is not installed.'
        : `node-llama-cpp does not load: ${(error as Error).message}`,
      `npm install node-llama-cpp@${llamaLibraryVersion}`,
      { cause: error },
    );
  }
}

/**
 * Starts llama.cpp from a build that node-llama-cpp ships; never compiles one.
 *
 * @param maxThreads - At most the cores: the library's own default is at least 4, which made decoding
 * 45 times slower on 2 cores.
 *
 * @throws PithError `engine`.
 */
export async function startLlama(gpu: 'auto' | false, maxThreads: number): Promise<StartedLlama> {
  const library = await importLlama();
  const log: string[] = [];
  const logger = (_level: unknown, message: string) => {
    log.push(message.trim());
    if (log.length > keptLogLines) log.shift();
  };
  try {
    const llama = await library.getLlama({
      gpu,
      build: 'never',
      maxThreads,
      logLevel: library.LlamaLogLevel.warn,
      logger,
      progressLogs: false,
    });
    await restoreLogger(llama);
    return { library, llama, log };
  } catch (error) {
    throw engineError('llama.cpp does not start', error, log, 'See what works: pith doctor');
  }
}

/**
 * Of a second instance in a process, node-llama-cpp 3.22.1 prints the log on stdout: releasing the first
 * one's logger, which happens a turn later, switches off the second one's too. It is set again then.
 */
async function restoreLogger(llama: NodeLlamaCpp.Llama): Promise<void> {
  const { _bindings: bindings, _onAddonLog: logger } = llama as unknown as {
    readonly _bindings?: { setLogger?: (logger: unknown) => void };
    readonly _onAddonLog?: unknown;
  };
  if (isStarted && logger !== undefined) {
    await new Promise((turn) => setTimeout(turn, 1));
    bindings?.setLogger?.(logger);
  }
  isStarted = true;
}

/** A failure of the engine with the last words of its log. */
export function engineError(
  what: string,
  error: unknown,
  log: readonly string[],
  hint = 'If other files work, convert this model again, or update node-llama-cpp.',
): PithError {
  const reason = error instanceof Error ? error.message : String(error);
  const said = log.filter((line) => line !== '' && !reason.includes(line));
  const last =
    said.findLast((line) => /error/i.test(line) && !/estimation heuristic/.test(line)) ??
    said.at(-1);
  const text = `${what}: ${reason}${last === undefined ? '' : ` (llama.cpp: ${last})`}`;
  return new PithError('engine', text, hint, { cause: error });
}

/**
 * Reads a GGUF file's header with Pith's own checked reader before native code sees the file.
 *
 * @throws PithError `not-found`, `no-permission`; `corrupt`, `truncated` or `unsupported` for a bad
 * file.
 */
export async function checkGguf(path: string): Promise<Metadata> {
  const file = await openGguf(await openFile(path));
  await file.close();
  return file.metadata;
}
