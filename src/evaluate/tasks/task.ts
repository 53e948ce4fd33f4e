import { PithError } from '../../util/errors.ts';
import { parseTask, type TaskDefinition } from './definition.ts';
import type { Row } from './row.ts';
import { parseRows } from './rows.ts';
import type { TaskFile } from './text.ts';

/** A task file with its data. */
export interface Task {
  readonly definition: TaskDefinition;
  readonly rows: readonly Row[];
  /** Rows whose answers are shown before each question; empty without examples. */
  readonly examples: readonly Row[];
  /** Documents of a retrieval task. */
  readonly corpus: readonly Row[];
  /** Rows that the data files have; more than `rows` under a limit. */
  readonly available: number;
}

/** Where a task's data come from. */
export interface TaskSources {
  /** Reads a file by its path relative to the task file's folder; the path has no `..`. */
  readonly read: (path: string) => Promise<TaskFile>;
  /** Data to use instead of what the task file names. */
  readonly data?: readonly TaskFile[];
  /** Take no more than the first rows of each file. */
  readonly limit?: number | undefined;
}

/**
 * Reads a task and its data.
 *
 * @throws {@link PithError} as `parseTask` and `parseRows`; `usage` when the task names no data and none
 *   are given; `corrupt` for a path that leaves the task's folder; whatever `read` throws.
 */
export async function loadTask(file: TaskFile, sources: TaskSources): Promise<Task> {
  const definition = parseTask(file);
  const split = definition.test_split ?? definition.validation_split ?? 'test';
  const files = sources.data?.map(parseRows) ?? (await readSplit(definition, split, sources));
  const available = files.flat().length;
  const rows = files.flatMap((file) => file.slice(0, sources.limit));
  const examples = await exampleRows(definition, sources);
  const task = { definition, rows, examples, available };
  if (definition.output_type !== 'retrieval') return { ...task, corpus: [] };
  if (definition.corpus_file === undefined) {
    throw unusable(definition, 'has no "corpus_file"', 'Name the file of its documents.');
  }
  const corpus = parseRows(await sources.read(inside(definition, definition.corpus_file)));
  return { ...task, corpus };
}

async function exampleRows(definition: TaskDefinition, sources: TaskSources): Promise<Row[]> {
  const count = definition.num_fewshot ?? 0;
  if (count === 0) return [];
  if (definition.fewshot_config === undefined) {
    const hint = 'Add fewshot_config: {sampler: first_n}; examples are never drawn at random here.';
    throw unusable(definition, `wants ${count} examples without saying which`, hint);
  }
  const split = definition.fewshot_split ?? definition.training_split ?? 'train';
  const rows = (await readSplit(definition, split, sources)).flat();
  if (rows.length >= count) return rows.slice(0, count);
  throw unusable(
    definition,
    `wants ${count} examples, of which there are ${rows.length}`,
    'Add some.',
  );
}

/** The rows of each file of a split. */
async function readSplit(
  definition: TaskDefinition,
  split: string,
  { read }: TaskSources,
): Promise<Row[][]> {
  const files: Row[][] = [];
  for (const path of splitPaths(definition, split)) {
    files.push(parseRows(await read(inside(definition, path))));
  }
  return files;
}

/** The files of a split, as `datasets` takes `data_files`; files without a split are for every one. */
function splitPaths(definition: TaskDefinition, split: string): readonly string[] {
  const files = definition.dataset_kwargs.data_files;
  const ofSplit = typeof files === 'object' && !Array.isArray(files) ? files[split] : files;
  if (ofSplit !== undefined) return typeof ofSplit === 'string' ? [ofSplit] : ofSplit;
  if (/\.(jsonl|csv)$/i.test(definition.dataset_path)) return [definition.dataset_path];
  const hint = 'Give the rows (--task-data FILE), or name them under dataset_kwargs: data_files.';
  throw unusable(definition, `names no file of rows for its split "${split}"`, hint);
}

/** Task files may come from strangers: what they name lies beside them. */
function inside(definition: TaskDefinition, path: string): string {
  const parts = path.split('/');
  const plain = parts.every((part) => part !== '' && part !== '.' && part !== '..');
  if (plain && !/[\\:\0]/.test(path)) return path;
  const hint = 'Put the data beside the task file, or give them with --task-data.';
  throw unusable(definition, `names data outside of its folder: ${JSON.stringify(path)}`, hint);
}

function unusable({ file, task }: TaskDefinition, problem: string, hint: string): PithError {
  return new PithError('corrupt', `${file}: the task ${task} ${problem}.`, hint);
}
