import { PithError } from '../../util/errors.ts';
import { sortData } from '../evaluate/sort-data.ts';
import { dataOf } from '../report/prepare.ts';
import { hashFiles } from '../report/version-facts.ts';
import { defaultEvaluation } from './measure.ts';
import type { ShrinkRequest, ShrinkTarget } from './request.ts';

/** A text or task and what it holds. */
export interface HashedData {
  readonly name: string;
  readonly sha256: string;
}

/** What a job reads besides the model. */
export interface JobData {
  /** Calibration texts that were given. */
  readonly calibration: readonly HashedData[];
  readonly evaluation: readonly HashedData[];
}

/**
 * Reads texts and tasks through before anything long begins.
 *
 * @throws PithError what reading them throws; `usage` for options without an effect.
 */
export async function hashData(request: ShrinkRequest, target: ShrinkTarget): Promise<JobData> {
  const { data = [], evaluation = defaultEvaluation, maxTokens, taskData, limit } = request;
  const asked = { data: evaluation, engine: 'llama', maxTokens, taskData, limit } as const;
  const measured = await dataOf(asked, await sortData(evaluation), target.signal);
  const calibration: HashedData[] = [];
  for (const name of data)
    calibration.push({ name, sha256: await hashFiles([name], target.signal) });
  return {
    calibration,
    evaluation: measured.map(({ name, sha256 }) => ({ name, sha256: sha256! })),
  };
}

/**
 * Refuses a model or data that are not those of a recipe.
 *
 * @throws PithError `conflict`.
 */
export function requireExpected(
  { model, expected }: ShrinkRequest,
  modelHash: string,
  { calibration, evaluation }: JobData,
): void {
  if (!expected) return;
  if (expected.model !== undefined && expected.model !== modelHash)
    throw new PithError(
      'conflict',
      `${model} has other weights or keys than the recipe's model: SHA-256 ${modelHash}.`,
      'Give the model that the recipe was made for, or leave its model.sha256 and chosen out.',
    );
  const changed = [...calibration, ...evaluation].find(({ name, sha256 }) => {
    return (expected.data.get(name) ?? sha256) !== sha256;
  });
  if (!changed) return;
  throw new PithError(
    'conflict',
    `${changed.name} is not what the recipe was made with: its SHA-256 is ${changed.sha256}.`,
    'Find the old one, or leave its sha256 out of the recipe.',
  );
}
