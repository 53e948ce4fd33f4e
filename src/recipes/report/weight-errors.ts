import { slabsOf, type SlabOfRows } from '../../compress/quantize/slabs.ts';
import { totalRelativeError } from '../../compress/quantize/write.ts';
import type { Candidate } from '../../evaluate/report/report-data.ts';
import type { Transcoder } from '../../kernels/transcoder.ts';
import type { Model } from '../../models/model.ts';
import { columnsOf, weightsOf, type Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { inOrder } from '../../util/in-order.ts';
import type { OnProgress } from '../../util/progress.ts';

type WeightErrors = NonNullable<Candidate['weights']>;

interface Sums {
  squaredError: number;
  squaredNorm: number;
}

/**
 * How far the weights of `candidate` are from those of `base`: sqrt(Σ (x − x̂)² / Σ x²) of every tensor
 * that both have, decoded to f32.
 *
 * @throws PithError what `sharedTensors` throws; `cancelled`.
 * @remarks Reads both models once; a window of slabs of 2^18 weights in memory.
 */
export async function measureWeightErrors(
  candidate: Model,
  base: Model,
  transcoder: Transcoder,
  { onProgress, signal }: { onProgress?: OnProgress | undefined; signal?: AbortSignal | undefined },
): Promise<WeightErrors> {
  const shared = sharedTensors(candidate, base);
  const sums = new Map(shared.map(({ name }) => [name, { squaredError: 0, squaredNorm: 0 }]));
  const total = shared.reduce((sum, { shape }) => sum + weightsOf(shape), 0);
  const slabs = slabsOf(shared, candidate.tensors);
  const results = inOrder(slabs, transcoder.threads + 1, async (slab) => {
    if (signal?.aborted) throw new PithError('cancelled', 'Stopped before all was compared.');
    const other = base.tensors.get(slab.tensor.name)!;
    const [values, originals] = await Promise.all([
      decode(slab.tensor, slab, transcoder),
      decode(other, slab, transcoder),
    ]);
    addDifferences(values, originals, sums.get(other.name)!);
    return slab;
  });
  let done = 0;
  for await (const { tensor, rows } of results) {
    done += rows * columnsOf(tensor.shape);
    onProgress?.({ label: `comparing ${tensor.name}`, done, total, unit: 'steps' });
  }
  return summarize(shared.map((tensor) => reportOf(tensor, sums.get(tensor.name)!)));
}

/**
 * The candidate's tensors that the base has too.
 *
 * @throws PithError `shape` when one has another shape there, or there are none.
 */
export function sharedTensors(candidate: Model, base: Model): readonly Tensor[] {
  const shared = [...candidate.tensors.values()].filter(({ name }) => base.tensors.has(name));
  for (const tensor of shared) requireSameShape(tensor, base.tensors.get(tensor.name)!);
  if (shared.length === 0) throw nothingShared(candidate, base);
  return shared;
}

async function decode(
  tensor: Tensor,
  { first, rows }: SlabOfRows<Tensor>,
  transcoder: Transcoder,
): Promise<Float32Array> {
  const bytes = await tensor.read(first, rows);
  const columns = columnsOf(tensor.shape);
  const slab = { from: tensor.type, to: 'F32', columns, bytes } as const;
  const { out, release } = await transcoder.transcode(slab);
  const values = new Float32Array(out.slice().buffer);
  release();
  return values;
}

function addDifferences(values: Float32Array, originals: Float32Array, sums: Sums): void {
  for (let at = 0; at < values.length; at++) {
    const original = originals[at]!;
    sums.squaredError += (original - values[at]!) ** 2;
    sums.squaredNorm += original ** 2;
  }
}

function reportOf({ name, type }: Tensor, { squaredError, squaredNorm }: Sums) {
  const relativeError = squaredNorm > 0 ? Math.sqrt(squaredError / squaredNorm) : 0;
  return { name, type, relativeError, squaredNorm };
}

function summarize(reports: readonly ReturnType<typeof reportOf>[]): WeightErrors {
  return {
    relativeError: totalRelativeError(reports),
    tensors: reports.map(({ name, type, relativeError }) => ({ name, type, relativeError })),
  };
}

function requireSameShape({ name, shape }: Tensor, other: Tensor): void {
  if (shape.join() === other.shape.join()) return;
  throw new PithError(
    'shape',
    `${name} is ${shape.join(' × ')}, and ${other.shape.join(' × ')} in the original.`,
    'Give the model that it was made from with --against.',
  );
}

function nothingShared(candidate: Model, base: Model): PithError {
  return new PithError(
    'shape',
    `${candidate.source} has no tensor of ${base.source}.`,
    'Give the model that it was made from with --against.',
  );
}
