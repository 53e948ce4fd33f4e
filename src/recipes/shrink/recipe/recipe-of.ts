import { version } from '../../../util/version.ts';
import type { Job } from '../job.ts';
import type { ShrunkFile } from '../shrunk-file.ts';
import { serializeRecipe, type ShrinkRecipe } from './recipe-file.ts';

/** The recipe of files that were made. */
export function recipeOf(job: Job, files: readonly ShrunkFile[]): string {
  const { request, modelHash, split, types, data } = job;
  const { size = [], bits, keep, tokens, maxTokens, taskData = [], limit } = request;
  return serializeRecipe({
    format: 'pith-shrink/1',
    model: { name: request.model, sha256: modelHash },
    budget: {
      ...(size.length > 0 && { size: [...size] }),
      ...(bits !== undefined && { bits }),
      ...(keep !== undefined && { keep }),
    },
    calibration: {
      ...(data.calibration.length > 0 && { data: [...data.calibration] }),
      ...(tokens !== undefined && { tokens }),
      context: split.windowTokens,
    },
    evaluation: {
      data: [...data.evaluation],
      ...(maxTokens !== undefined && { maxTokens }),
      ...(taskData.length > 0 && { taskData: [...taskData] }),
      ...(limit !== undefined && { limit }),
    },
    candidates: [...types],
    pith: version,
    chosen: Object.fromEntries(files.map((file) => [file.label, chosenOf(file)])),
  });
}

function chosenOf({ bytes, allocation }: ShrunkFile): NonNullable<ShrinkRecipe['chosen']>[string] {
  return { bytes, klDivergence: allocation.cost, types: Object.fromEntries(allocation.types) };
}
