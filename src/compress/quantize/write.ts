import type { GgufPlan } from '../../formats/gguf/plan.ts';
import { writeGguf } from '../../formats/gguf/write.ts';
import { isEncodable, type EncodableType } from '../../kernels/kernels.ts';
import type { TranscodedSlab, Transcoder } from '../../kernels/transcoder.ts';
import type { Model } from '../../models/model.ts';
import type { Output } from '../../storage/output-writer.ts';
import type { BlockType } from '../../tensor/block-types.ts';
import { columnsOf } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { inOrder } from '../../util/in-order.ts';
import type { OnProgress } from '../../util/progress.ts';
import { coupled, type Coupled, type CouplingSource } from './coupled-tensor.ts';
import { mayOverflow, requireInRange } from './range.ts';
import type { PlannedTensor, QuantizationPlan } from './quantization-plan.ts';
import { slabsOf, type SlabOfRows } from './slabs.ts';

/** What writing a tensor cost in precision. */
export interface TensorReport {
  readonly name: string;
  readonly type: BlockType;
  readonly bytes: number;
  /** sqrt(Σ (x − x̂)² / Σ x²); 0 for a tensor kept as it is. */
  readonly relativeError: number;
  /** Σ x², by which the errors of several tensors are averaged. */
  readonly squaredNorm: number;
}

/**
 * The relative error of all tensors that lost precision, as if they were one.
 *
 * Those that lost none are left out, so that norms that became F32 do not dilute the figure.
 */
export function totalRelativeError(
  reports: readonly Pick<TensorReport, 'relativeError' | 'squaredNorm'>[],
): number {
  const lossy = reports.filter(({ relativeError }) => relativeError > 0);
  const norm = lossy.reduce((sum, { squaredNorm }) => sum + squaredNorm, 0);
  const error = lossy.reduce((sum, r) => sum + r.relativeError ** 2 * r.squaredNorm, 0);
  return norm > 0 ? Math.sqrt(error / norm) : 0;
}

/** What `writeQuantized` works with. */
export interface WriteOptions {
  readonly transcoder: Transcoder;
  /** Continues where an interrupted run stopped; each finished tensor's report is noted in it. */
  readonly output: Output;
  readonly onTensor: (report: TensorReport) => void;
  /** Feeds errors back where a tensor's new type has codes for it. */
  readonly couplings?: CouplingSource;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * Streams the quantized tensors to `output` in file order, slab by slab over the transcoder's threads.
 *
 * Memory: two slabs a thread, whatever the model's size. The bytes depend on nothing but model and
 * plan: not on threads, not on where an earlier run stopped.
 *
 * @throws {@link PithError} `not-finite` with tensor, row and column of a NaN or infinite weight,
 *   `unsupported` with those of one too large for its new type;
 *   `cancelled` when `signal` fires.
 */
export async function writeQuantized(
  model: Model,
  { tensors, layout }: QuantizationPlan,
  options: WriteOptions,
): Promise<void> {
  const { transcoder, output, couplings } = options;
  const { resumeOffset } = output;
  const plannedOf = new Map(
    tensors.map((tensor) => [tensor.name, couplings ? coupled(tensor, couplings) : tensor]),
  );
  const left = layout.tensors
    .filter(({ offset }) => offset >= resumeOffset)
    .map(({ name }) => plannedOf.get(name)!);
  const window = 2 * transcoder.threads + 1;
  const results = inOrder(slabsOf(left, model.tensors), window, (slab) => convert(slab, options));
  const progress = progressOf(layout, resumeOffset, options.onProgress);
  let finished: TensorReport | undefined;
  const onTensor = (report: TensorReport) => {
    finished = report;
    options.onTensor(report);
  };
  try {
    const chunks = ({ name }: { name: string }) =>
      tensorChunks(plannedOf.get(name)!, results, onTensor, progress);
    const sink = {
      write: (bytes: Uint8Array) => output.write(bytes),
      checkpoint: (step: string) => output.checkpoint(step, finished),
    };
    await writeGguf(layout, sink, chunks, resumeOffset);
  } finally {
    await results.return(undefined);
  }
}

/** Yields the converted slabs of one tensor, then reports its error. */
async function* tensorChunks(
  planned: PlannedTensor,
  results: AsyncGenerator<TranscodedSlab>,
  onTensor: (report: TensorReport) => void,
  progress: (name: string, bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let [squaredError, squaredNorm, written] = [0, 0, 0];
  while (written < planned.bytes) {
    const { value: slab, done } = await results.next();
    if (done) return;
    squaredError += slab.squaredError;
    squaredNorm += slab.squaredNorm;
    written += slab.out.length;
    yield slab.out;
    progress(planned.name, slab.out.length);
    slab.release();
  }
  const relativeError = squaredNorm > 0 ? Math.sqrt(squaredError / squaredNorm) : 0;
  const { name, to: type, bytes } = planned;
  onTensor({ name, type, bytes, relativeError, squaredNorm });
}

async function convert(
  { tensor, planned, first, rows, byteLength, importance }: SlabOfRows<Coupled<PlannedTensor>>,
  { transcoder, couplings, signal }: WriteOptions,
): Promise<TranscodedSlab> {
  if (signal?.aborted) throw stopped();
  const memory = transcoder.reserve(byteLength);
  const bytes = await tensor.read(first, rows, memory.bytes);
  const columns = columnsOf(tensor.shape);
  if (tensor.type === planned.to) {
    const bad = await transcoder.firstNonFinite(tensor.type, bytes);
    if (bad >= 0) throw notFinite(planned.name, first, columns, bad);
    return { out: bytes, squaredError: 0, squaredNorm: 0, release: memory.release };
  }
  const to = requireEncodable(planned);
  const slab = { from: tensor.type, to, columns, bytes, ...(importance && { importance }) };
  try {
    const coupling = planned.isCoupled && (await couplings!.couplingOf(tensor.name, first));
    const result = await transcoder.transcode(coupling ? { ...slab, coupling } : slab);
    if (mayOverflow(result)) await requireInRange(planned, { slab, first, result }, transcoder);
    return result;
  } catch (error) {
    const bad = await transcoder.firstNonFinite(tensor.type, bytes);
    throw bad >= 0 ? notFinite(planned.name, first, columns, bad) : error;
  } finally {
    memory.release();
  }
}

function stopped(): PithError {
  return new PithError(
    'cancelled',
    'Stopped before the file was complete; what is written is kept.',
    'Give the same command again to continue there.',
  );
}

function requireEncodable({ name, to }: PlannedTensor): EncodableType {
  if (isEncodable(to)) return to;
  throw new PithError('unsupported', `${name}: Pith cannot write ${to}.`);
}

function notFinite(name: string, first: number, columns: number, index: number): PithError {
  const row = first + Math.floor(index / columns);
  return new PithError(
    'not-finite',
    `${name} holds NaN or infinity, first in row ${row}, column ${index % columns}.`,
    'The source weights are broken: download the model again, or ask its authors.',
  );
}

function progressOf(layout: GgufPlan, resumeOffset: number, onProgress: OnProgress | undefined) {
  let done = Math.max(resumeOffset, layout.header.length);
  return (label: string, bytes: number) => {
    done += bytes;
    onProgress?.({ label, done, total: layout.totalBytes, unit: 'bytes' });
  };
}
