import { resolve } from 'node:path';
import { planEvidenceFile, planImatrixFile } from '../../compress/evidence/evidence-file.ts';
import type { GramSource } from '../../compress/evidence/gram.ts';
import {
  hessianRows,
  type HessianShape,
  type HessianSource,
} from '../../compress/evidence/hessian.ts';
import type { Model } from '../../models/model.ts';
import { openModel } from '../../models/open.ts';
import { peakMemoryBytes } from '../../runtime/memory.ts';
import { checkFolder } from '../../storage/folder.ts';
import { refuseExisting } from '../../storage/output-file.ts';
import { OpenThings } from '../../util/closing.ts';
import { PithError } from '../../util/errors.ts';
import { contextOf } from '../evaluate/defaults.ts';
import { checkOutputPath } from '../output-path.ts';
import { measure } from './measure.ts';
import type { CalibrateRequest, CalibrateTarget } from './request.ts';
import { calibrationWindows } from './windows.ts';
import { writePlanned } from './write.ts';

/** What was measured and written. */
export interface CalibrateReport {
  readonly model: string;
  readonly output: string;
  readonly bytes: number;
  readonly imatrix?: string;
  readonly data: readonly string[];
  readonly documents: number;
  readonly tokens: number;
  readonly windowTokens: number;
  /** Matrices with evidence. */
  readonly tensors: number;
  readonly gradients: boolean;
  /** How many there are, whether tokens count by their gradients, the most columns of a block, and their part of the file. */
  readonly hessians?: {
    readonly count: number;
    readonly weighted: boolean;
    readonly blockColumns: number;
    readonly bytes: number;
  };
  /** The same of products of output gradients. */
  readonly grams?: { readonly count: number; readonly blockRows: number; readonly bytes: number };
  readonly device: string;
  readonly seconds: number;
  readonly peakMemoryBytes: number;
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Runs a model over text and writes what its activations and gradients were.
 *
 * Models whose weights as f32 do not fit the memory there is are run block by block from the disk. What was measured
 * waits in OUTPUT.state: the same call continues an interrupted one, and ends with the same bytes.
 *
 * @throws PithError `unsupported` for too little text and for models without a graph, `not-finite` naming a
 *   matrix, `conflict` for outputs that exist; `cancelled`; what opening models, texts and engines throws.
 * @remarks Memory as `collectEvidence`, with 256 MiB to 2 GiB of activations. Disk: Hessians three times, two of them
 *   in OUTPUT.state, until the end.
 */
export async function calibrate(
  request: CalibrateRequest,
  target: CalibrateTarget,
): Promise<CalibrateReport> {
  const started = performance.now();
  const opened = new OpenThings();
  try {
    const model = opened.add(await openModel(request.model));
    await checkOutputs(target, model);
    const context = contextOf({ model: request.model, data: [], context: request.context }, [
      model,
    ]);
    const text = await calibrationWindows(request, model, context);
    const { state, ...measured } = await measure(model, text, { request, target, opened });
    const { evidence } = measured;
    const { output, imatrix, force } = target;
    const options = { key: state.key, force };
    const bytes = await writePlanned(output, planEvidenceFile(evidence), options);
    if (imatrix !== undefined) await writePlanned(imatrix, planImatrixFile(evidence), options);
    await state.remove();
    return {
      model: request.model,
      output,
      bytes,
      ...(imatrix !== undefined && { imatrix }),
      data: text.datasets,
      documents: text.documents,
      tokens: evidence.tokens,
      windowTokens: evidence.windowTokens,
      tensors: evidence.tensors.size,
      gradients: evidence.embedding !== undefined,
      ...(evidence.hessians && { hessians: sizeOfHessians(evidence.hessians) }),
      ...(evidence.grams && { grams: sizeOfGrams(evidence.grams) }),
      device: measured.device,
      seconds: (performance.now() - started) / 1000,
      peakMemoryBytes: peakMemoryBytes(),
      warnings: evidence.warnings,
      notes: [...text.notes, ...measured.notes],
    };
  } finally {
    await opened.close();
  }
}

function sizeOfHessians({
  shapes,
  weighted,
}: HessianSource): NonNullable<CalibrateReport['hessians']> {
  const { count, largest, bytes } = sizeOf([...shapes.values()]);
  return { count, weighted, blockColumns: largest, bytes };
}

function sizeOfGrams({ shapes }: GramSource): NonNullable<CalibrateReport['grams']> {
  const all = [...shapes.values()];
  const { count, largest, bytes } = sizeOf(all.map((of) => ({ ...of, columns: of.rows })));
  return { count, blockRows: largest, bytes };
}

function sizeOf(shapes: readonly HessianShape[]): Record<'count' | 'largest' | 'bytes', number> {
  return {
    count: shapes.length,
    largest: Math.max(...shapes.map(({ blockSize }) => blockSize)),
    bytes: 4 * shapes.reduce((sum, shape) => sum + hessianRows(shape) * shape.blockSize, 0),
  };
}

async function checkOutputs(
  { output, imatrix, force = false }: CalibrateTarget,
  model: Model,
): Promise<void> {
  if (imatrix !== undefined && resolve(imatrix) === resolve(output)) throw sameOutput(output);
  for (const path of imatrix === undefined ? [output] : [output, imatrix]) {
    await checkOutputPath(path, model.files);
    await checkFolder(path);
    await refuseExisting(path, force);
  }
}

function sameOutput(output: string): PithError {
  return new PithError(
    'usage',
    `Evidence and importance matrix are both to be ${output}.`,
    'An evidence file is an importance matrix already: leave --imatrix out.',
  );
}
