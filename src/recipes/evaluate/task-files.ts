import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { loadTask, type Task, type TaskFile } from '../../evaluate/tasks/index.ts';
import { attempt } from '../../storage/system-error.ts';
import { PithError } from '../../util/errors.ts';
import { isTaskFile, shippedFolder } from './sort-data.ts';

/** Where the rows of a task come from, if not from where its file says. */
export interface TaskOptions {
  readonly taskData?: readonly string[] | undefined;
  readonly limit?: number | undefined;
}

/** A task, and the files that it was read from: its own, rows, examples, documents. */
export interface ReadTask {
  readonly task: Task;
  readonly files: readonly TaskFile[];
}

/**
 * Reads tasks with their rows.
 *
 * @param names - Task files, or names of those in the box.
 * @throws PithError what `loadTask` throws; `not-found` for a missing data file; `usage` for data without
 *   the one task they belong to, for a task of the box without data, and for two tasks of one name.
 */
export async function readTasks(
  names: readonly string[],
  options: TaskOptions = {},
): Promise<ReadTask[]> {
  const { taskData = [] } = options;
  if (taskData.length > 0 && names.length !== 1) {
    throw new PithError(
      'usage',
      `Task data (--task-data) belong to one task; ${names.length} were given.`,
      'Give one task: --data TASK --task-data FILE.',
    );
  }
  const tasks: ReadTask[] = [];
  for (const name of names) tasks.push(await readTask(name, options));
  const ids = tasks.map(({ task }) => task.definition.task);
  const repeated = ids.find((id, at) => ids.indexOf(id) < at);
  if (repeated === undefined) return tasks;
  throw new PithError(
    'usage',
    `Two of the tasks are called ${repeated}.`,
    'Change "task:" in one of the files.',
  );
}

async function readTask(name: string, { taskData = [], limit }: TaskOptions): Promise<ReadTask> {
  const isShipped = !isTaskFile(name);
  const path = isShipped ? join(shippedFolder, `${name}.yaml`) : name;
  if (isShipped && taskData.length === 0) throw withoutRows(name, path);
  const paths = (await Promise.all(taskData.map(dataFiles))).flat();
  // What else a task of the box names, as examples, lies beside its rows.
  const folder = dirname(isShipped ? paths[0]! : path);
  const data = await Promise.all(paths.map(readBytes));
  const file = await readBytes(path);
  const files = [file, ...data];
  const read = async (name: string) => {
    const beside = await readBeside(join(folder, name), path);
    files.push(beside);
    return beside;
  };
  const task = await loadTask(file, { read, limit, ...(paths.length > 0 && { data }) });
  return { task, files };
}

/** A file, or those of a folder that hold rows. */
async function dataFiles(path: string): Promise<string[]> {
  const { isFolder, names } = await attempt('read', path, async () => {
    const isFolder = (await stat(path)).isDirectory();
    return { isFolder, names: isFolder ? await readdir(path) : [] };
  });
  if (!isFolder) return [path];
  const rows = names.filter((name) => /\.(jsonl|csv)$/i.test(name)).sort();
  if (rows.length > 0) return rows.map((name) => join(path, name));
  const problem = `The folder ${path} has no .jsonl or .csv file.`;
  throw new PithError('not-found', problem, 'Give the folder of the rows, or their file.');
}

async function readBytes(name: string): Promise<TaskFile> {
  return { name, bytes: await attempt('read', name, () => readFile(name)) };
}

/** Reads a file that a task names. */
async function readBeside(path: string, task: string): Promise<TaskFile> {
  if (await stat(path).catch(() => undefined)) return readBytes(path);
  throw new PithError(
    'not-found',
    `${task} names the data file ${basename(path)}, which is not at ${path}.`,
    'Put it there, or give the rows with --task-data FILE.',
  );
}

function withoutRows(name: string, path: string): PithError {
  return new PithError(
    'usage',
    `The task ${name} comes without rows.`,
    `Add --task-data FILE or FOLDER; ${path} says where the rows come from.`,
  );
}
