import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTask, type Task, type TaskFile } from '../../evaluate/tasks/index.ts';
import { attempt } from '../../storage/system-error.ts';
import { PithError } from '../../util/errors.ts';
import { nearestName } from '../../util/nearest-name.ts';

/** The task files in the box, seen from src/recipes/evaluate/ as from dist/recipes/evaluate/. */
const shippedFolder = fileURLToPath(new URL('../../../tasks/', import.meta.url));

/** What was given as data. */
export interface SortedData {
  readonly texts: readonly string[];
  readonly tasks: readonly string[];
}

/** Where the rows of a task come from, if not from where its file says. */
export interface TaskOptions {
  readonly taskData?: readonly string[] | undefined;
  readonly limit?: number | undefined;
}

/** Names of the tasks in the box. */
export async function shippedTasks(): Promise<string[]> {
  const names = await attempt('list', shippedFolder, () => readdir(shippedFolder));
  return names.filter(isTaskFile).map((name) => basename(name, extname(name)));
}

/**
 * Tells tasks, which are YAML files or names of those in the box, from texts.
 *
 * @throws PithError `not-found` for what is neither a file nor a task in the box, with the nearest name.
 */
export async function sortData(data: readonly string[]): Promise<SortedData> {
  const shipped = await shippedTasks();
  const isTask = (name: string) => isTaskFile(name) || shipped.includes(name);
  const texts = data.filter((name) => !isTask(name));
  for (const name of texts) await requireText(name, shipped);
  return { texts, tasks: data.filter(isTask) };
}

async function requireText(name: string, shipped: readonly string[]): Promise<void> {
  const isWord = /^\w+$/.test(name) && name !== 'sample';
  if (!isWord || (await stat(name).catch(() => undefined))) return;
  const nearest = nearestName(name, [...shipped, 'sample']);
  const known = `Tasks in the box: ${shipped.join(', ')}.`;
  throw new PithError(
    'not-found',
    `There is no file, and no task, called ${name}.`,
    nearest === undefined ? known : `Did you mean ${nearest}? ${known}`,
  );
}

function isTaskFile(path: string): boolean {
  return /\.ya?ml$/i.test(path);
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
): Promise<Task[]> {
  const { taskData = [] } = options;
  if (taskData.length > 0 && names.length !== 1) {
    throw new PithError(
      'usage',
      `Task data (--task-data) belong to one task; ${names.length} were given.`,
      'Give one task: --data TASK --task-data FILE.',
    );
  }
  const tasks: Task[] = [];
  for (const name of names) tasks.push(await readTask(name, options));
  const ids = tasks.map(({ definition }) => definition.task);
  const repeated = ids.find((id, at) => ids.indexOf(id) < at);
  if (repeated === undefined) return tasks;
  throw new PithError(
    'usage',
    `Two of the tasks are called ${repeated}.`,
    'Change "task:" in one of the files.',
  );
}

async function readTask(name: string, { taskData = [], limit }: TaskOptions): Promise<Task> {
  const isShipped = !isTaskFile(name);
  const path = isShipped ? join(shippedFolder, `${name}.yaml`) : name;
  if (isShipped && taskData.length === 0) throw withoutRows(name, path);
  const paths = (await Promise.all(taskData.map(dataFiles))).flat();
  // What else a task of the box names, as examples, lies beside its rows.
  const folder = dirname(isShipped ? paths[0]! : path);
  const data = paths.length > 0 && { data: await Promise.all(paths.map(readBytes)) };
  const read = (file: string) => readBeside(join(folder, file), path);
  return loadTask(await readBytes(path), { read, limit, ...data });
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
