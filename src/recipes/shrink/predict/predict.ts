import { join } from 'node:path';
import { choiceGroups, frontier } from '../../../compress/allocate/index.ts';
import type { Evidence } from '../../../compress/evidence/evidence.ts';
import type { Imatrix } from '../../../compress/quantize/importance.ts';
import { frameOf, type FileFrame } from '../budget/file-frame.ts';
import { resultNames } from '../folder.ts';
import type { Job } from '../job.ts';
import { chooseAll, probeNotes, type Choices } from './choose.ts';
import { predictedCosts } from './costs.ts';
import { evidenceOf } from './evidence.ts';
import { HeldOut } from './held-out-evidence.ts';
import { fullImatrix, plainImatrix } from './importance.ts';

/** What is known before the first file is written. */
export interface Predicted {
  readonly evidence: Evidence;
  readonly heldOut: HeldOut;
  /** By the budget's label. */
  readonly chosen: ReadonlyMap<string, Choices>;
  /** With what files are written. */
  readonly imatrix: Imatrix;
  /** With what llama.cpp's mixes are written. */
  readonly plainImatrix: Imatrix;
  readonly frame: FileFrame;
  readonly notes: readonly string[];
}

/** Measures evidence, predicts what each type would cost each matrix, and chooses; all is kept in the folder. */
export async function predict(job: Job): Promise<Predicted> {
  const { model, request, split, steps, target, modelHash, candidates } = job;
  const place = { path: join(target.output, resultNames.evidence), modelHash, target };
  await steps.run('evidence', async () => {
    const measured = await evidenceOf(request, split, place);
    await measured.close();
    return measured.tokens;
  });
  const evidence = job.opened.add(await evidenceOf(request, split, place));
  const imatrix = fullImatrix(evidence, candidates.keys());
  const costs = await steps.run('costs', () => predictedCosts(job, evidence));
  const frame = frameOf(model, candidates, imatrix);
  const chosen = await chooseAll(job, { costs, evidence, imatrix, frame });
  const notes = probeNotes(job);
  const heldOut = job.opened.add(new HeldOut(job));
  return { evidence, heldOut, chosen, imatrix, plainImatrix: plainImatrix(evidence), frame, notes };
}

/** A size and what is predicted of the best file of that size. */
export interface FrontierPoint {
  /** Of the whole file. */
  readonly bytes: number;
  readonly klDivergence: number;
}

const mostPoints = 200;

/** The whole curve of best files by the costs around the first budget, thinned out evenly. */
export function frontierPoints({ chosen, frame }: Predicted): FrontierPoint[] {
  const [first] = chosen.values();
  const all = frontier(choiceGroups(first!.costs));
  const count = Math.min(mostPoints, all.length);
  const place = (at: number) => Math.round((at * (all.length - 1)) / Math.max(1, count - 1));
  const places = Array.from({ length: count }, (_, at) => place(at));
  return places.map((at) => {
    const { bytes, cost } = all[at]!;
    return { bytes: frame.headerBytes + frame.keptBytes + bytes, klDivergence: cost };
  });
}
