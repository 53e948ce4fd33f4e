import { locateText } from '../../evaluate/text.ts';
import { hashFiles } from '../../report/version-facts.ts';
import { version } from '../../../util/version.ts';
import type { Job } from '../job.ts';
import { defaultEvaluation } from '../measure.ts';
import { serializeRecipe, type ShrinkRecipe } from './recipe-file.ts';
import type { ShrunkFile } from '../shrunk-file.ts';

/** The recipe of files that were made. */
export async function recipeOf(job: Job, files: readonly ShrunkFile[]): Promise<string> {
  const { request, modelHash, split, types } = job;
  const { data = [], tokens, evaluation = defaultEvaluation, maxTokens } = request;
  const { size = [], bits, keep } = request;
  const hashed = (names: readonly string[]) =>
    Promise.all(names.map((name) => hashedText(name, job)));
  return serializeRecipe({
    format: 'pith-shrink/1',
    model: { name: request.model, sha256: modelHash },
    budget: {
      ...(size.length > 0 && { size: [...size] }),
      ...(bits !== undefined && { bits }),
      ...(keep !== undefined && { keep }),
    },
    calibration: {
      ...(data.length > 0 && { data: await hashed(data) }),
      ...(tokens !== undefined && { tokens }),
      context: split.windowTokens,
    },
    evaluation: { data: await hashed(evaluation), ...(maxTokens !== undefined && { maxTokens }) },
    candidates: [...types],
    pith: version,
    chosen: Object.fromEntries(files.map((file) => [file.label, chosenOf(file)])),
  });
}

async function hashedText(name: string, { target }: Job) {
  return { name, sha256: await hashFiles([locateText(name)], target.signal) };
}

function chosenOf({ bytes, allocation }: ShrunkFile): NonNullable<ShrinkRecipe['chosen']>[string] {
  return { bytes, klDivergence: allocation.cost, types: Object.fromEntries(allocation.types) };
}
