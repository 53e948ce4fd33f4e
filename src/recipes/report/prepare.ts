import { createHash } from 'node:crypto';
import type { ReportData } from '../../evaluate/report/report-data.ts';
import { requireSameVocabulary } from '../../evaluate/vocabulary.ts';
import { isEncoder } from '../../models/architectures.ts';
import type { Model } from '../../models/model.ts';
import { openModel } from '../../models/open.ts';
import { OpenThings } from '../../util/closing.ts';
import { PithError } from '../../util/errors.ts';
import { enginesOf } from '../evaluate/engines.ts';
import { requireUsed, sortData, type SortedData } from '../evaluate/sort-data.ts';
import { requireAbility } from '../evaluate/task-engine.ts';
import { readTasks } from '../evaluate/task-files.ts';
import { locateText, readTexts } from '../evaluate/text.ts';
import type { ReportRequest } from './request.ts';
import { hashFiles } from './version-facts.ts';
import { sharedTensors } from './weight-errors.ts';

/** What a report is about: opened, and checked before the first long measurement. */
export interface PreparedReport {
  readonly base: Model;
  readonly candidates: readonly Model[];
  readonly sorted: SortedData;
  /** Names and hashes of texts and tasks. */
  readonly data: ReportData['data'];
  close(): Promise<void>;
}

/**
 * Opens models and data, and checks that they belong together.
 *
 * @throws PithError what opening models, texts and tasks throws; `unsupported` for encoders and for tasks
 *   that the engine cannot do; `shape` and `conflict` for a base that is another model; `usage` for
 *   options without an effect.
 */
export async function prepareReport(
  request: ReportRequest,
  signal: AbortSignal | undefined,
): Promise<PreparedReport> {
  const opened = new OpenThings();
  try {
    const base = opened.add(await openModel(request.against));
    requireWriter(base);
    const candidates: Model[] = [];
    for (const reference of request.models) {
      const candidate = opened.add(await openModel(reference));
      sharedTensors(candidate, base);
      if (request.data.length > 0) requireSameVocabulary(candidate, base);
      candidates.push(candidate);
    }
    const sorted = await sortData(request.data);
    const data = await dataOf(request, sorted, signal);
    return { base, candidates, sorted, data, close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function requireWriter(model: Model): void {
  if (!isEncoder(model)) return;
  throw new PithError(
    'unsupported',
    `${model.source} is an encoder (${model.architecture}): it makes vectors, no text to show on a card.`,
    'Measure what is left of it with a retrieval task: pith evaluate MODEL --against BASE --data TASK',
  );
}

/**
 * Reads texts and tasks through, so that nothing is wrong with them after an hour, and hashes them.
 *
 * @throws PithError as {@link prepareReport}.
 */
export async function dataOf(
  request: Pick<ReportRequest, 'data' | 'engine' | 'maxTokens' | 'taskData' | 'limit'>,
  sorted: SortedData,
  signal: AbortSignal | undefined,
): Promise<ReportData['data']> {
  requireUsed(request, sorted);
  const hashes = new Map<string, string>();
  for (const text of sorted.texts) {
    await readTexts([text]);
    hashes.set(text, await hashFiles([locateText(text)], signal));
  }
  const tasks = await readTasks(sorted.tasks, request);
  for (const [at, { task, files }] of tasks.entries()) {
    for (const engine of enginesOf(request.engine)) requireAbility(task.definition, engine);
    const hash = createHash('sha256');
    for (const { bytes } of files) hash.update(bytes);
    hashes.set(sorted.tasks[at]!, hash.digest('hex'));
  }
  return request.data.map((name) => {
    const kind = sorted.tasks.includes(name) ? 'task' : 'text';
    return { name, kind, sha256: hashes.get(name)! };
  });
}
