import { readdir, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt } from '../../storage/system-error.ts';
import { PithError } from '../../util/errors.ts';
import { nearestName } from '../../util/nearest-name.ts';
import type { EvaluateRequest } from './request.ts';

/** The task files in the box, seen from src/recipes/evaluate/ as from dist/recipes/evaluate/. */
export const shippedFolder = fileURLToPath(new URL('../../../tasks/', import.meta.url));

/** What was given as data. */
export interface SortedData {
  readonly texts: readonly string[];
  readonly tasks: readonly string[];
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

/** Whether a name is that of a task's file. */
export function isTaskFile(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

/**
 * Refuses options without an effect, which are mistakes.
 *
 * @throws PithError `usage` for options of texts without a text, and of tasks without a task.
 */
export function requireUsed(
  { stride, maxTokens, taskData, limit }: Omit<EvaluateRequest, 'model' | 'data'>,
  { texts, tasks }: SortedData,
): void {
  const ofTexts = { '--stride': stride, '--max-tokens': maxTokens };
  const ofTasks = { '--task-data': taskData?.length ? taskData : undefined, '--limit': limit };
  if (tasks.length === 0) refuse(ofTasks, 'is for tasks, and no task is given', '--data TASK');
  else if (texts.length === 0) refuse(ofTexts, 'is for texts, and no text is given', '--data FILE');
}

function refuse(options: Readonly<Record<string, unknown>>, why: string, missing: string): void {
  const given = Object.entries(options).find(([, value]) => value !== undefined);
  if (!given) return;
  throw new PithError('usage', `${given[0]} ${why}.`, `Leave it out, or add ${missing}.`);
}
