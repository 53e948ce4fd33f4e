import { open, readFile, unlink, type FileHandle } from 'node:fs/promises';
import { attempt } from '../../storage/system-error.ts';

/** One step of a job. */
export interface Step {
  readonly name: string;
  readonly done: boolean;
  /** That it took when it was done; 0 before. */
  readonly seconds: number;
}

type Line =
  | { readonly key: string }
  | { readonly begun: string }
  | { readonly name: string; readonly seconds: number; readonly result?: unknown };

/**
 * The steps of a job in a file beside its results, a line of JSON each, so that the job continues after a
 * kill −9: finished steps give their kept result. A torn last line is a step that is done again.
 */
export class Steps {
  readonly path: string;
  /** Steps that an earlier run had finished. */
  readonly kept: number;
  readonly #handle: FileHandle;
  readonly #finished: Map<string, { readonly seconds: number; readonly result: unknown }>;
  readonly #begun: Set<string>;
  #planned: readonly string[] = [];

  private constructor(path: string, handle: FileHandle, lines: readonly Line[]) {
    this.path = path;
    this.#handle = handle;
    this.#begun = new Set(lines.flatMap((line) => ('begun' in line ? [line.begun] : [])));
    this.#finished = new Map(
      lines.flatMap((line) => {
        if (!('name' in line)) return [];
        return [[line.name, { seconds: line.seconds, result: line.result }] as const];
      }),
    );
    this.kept = this.#finished.size;
  }

  /**
   * Opens the steps of a job, those of another one being thrown away.
   *
   * @param key - Stands for everything that determines the results.
   */
  static open(path: string, key: string): Promise<Steps> {
    return attempt('write', path, async () => {
      const lines = parse(await readFile(path, 'utf8').catch(() => ''));
      const [head] = lines;
      const isOurs = head !== undefined && 'key' in head && head.key === key;
      const handle = await open(path, isOurs ? 'a' : 'w');
      const steps = new Steps(path, handle, isOurs ? lines : []);
      // After a torn line a new one begins; an empty one is no step.
      await steps.#append(isOurs ? '\n' : textOf({ key }));
      return steps;
    });
  }

  /** Names the steps to come, in order. */
  plan(names: readonly string[]): void {
    this.#planned = names;
  }

  /** Whether this or an earlier run began or finished the step. */
  isBegun(name: string): boolean {
    return this.#begun.has(name) || this.#finished.has(name);
  }

  isDone(name: string): boolean {
    return this.#finished.has(name);
  }

  /**
   * Does a step, unless it is done already.
   *
   * @param work - Its result must be plain data; numbers may be infinite or NaN.
   */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const finished = this.#finished.get(name);
    if (finished) return finished.result as T;
    await this.#append(textOf({ begun: name }));
    this.#begun.add(name);
    const started = performance.now();
    const result = await work();
    const seconds = (performance.now() - started) / 1000;
    await this.#append(textOf({ name, seconds, result }));
    this.#finished.set(name, { seconds, result });
    return result;
  }

  /** The planned steps, and others that were done, as data. */
  get list(): Step[] {
    const names = new Set([...this.#planned, ...this.#finished.keys()]);
    return [...names].map((name) => {
      const finished = this.#finished.get(name);
      return { name, done: finished !== undefined, seconds: finished?.seconds ?? 0 };
    });
  }

  /** Ends the job: nothing is left to continue. */
  async finish(): Promise<void> {
    await this.close();
    await attempt('remove', this.path, () => unlink(this.path));
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #append(text: string): Promise<void> {
    return attempt('write', this.path, async () => {
      await this.#handle.write(text);
      await this.#handle.datasync();
    });
  }
}

/** How numbers that JSON lacks are written. */
const numberKey = '$number';

function textOf(line: Line): string {
  const text = JSON.stringify(line, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? { [numberKey]: String(value) } : value,
  );
  return `${text}\n`;
}

function parse(text: string): Line[] {
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      return [
        JSON.parse(line, (_, value: unknown) =>
          typeof value === 'object' && value !== null && numberKey in value
            ? Number(value[numberKey])
            : value,
        ) as Line,
      ];
    } catch {
      return [];
    }
  });
}
