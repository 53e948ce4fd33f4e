import { readRowsAt } from '../../evaluate/onnx/read-floats.ts';
import { hasGrid, type Coupling } from '../../kernels/feedback/coupling.ts';
import type { Factors } from '../../kernels/feedback/factors.ts';
import type { EncodableType } from '../../kernels/kernels.ts';
import type { Transcoder } from '../../kernels/transcoder.ts';
import { columnsOf, type Tensor } from '../../tensor/tensor.ts';
import { seededRandom, type Random } from '../../util/random.ts';
import { sampleRows } from '../allocate/sample-rows.ts';
import { usesOf } from '../allocate/uses.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Gram } from '../evidence/gram.ts';
import type { Couplings } from './couplings.ts';

/** What costs are predicted with. */
export interface CoupledCostOptions {
  readonly evidence: Evidence;
  readonly couplings: Couplings;
  readonly transcoder: Transcoder;
  /** Rows that are encoded with every type. Default 256. */
  readonly rows?: number;
  /** Chooses the rows. Default 1. */
  readonly seed?: number;
}

const defaultRows = 256;

/** Rows of a matrix that stand for all of it. */
interface RowChoice {
  readonly rows: readonly number[];
  readonly rowFactors: Factors;
  /** What their cost is multiplied with. */
  readonly scale: number;
}

/**
 * Predicts the KL divergence of storing a matrix as each type with its errors fed back, nats a token: half the
 * coupled error of rows that are really encoded.
 *
 * @returns By type, those left out that errors cannot be fed back into; undefined for a matrix without coupling.
 * @throws PithError `not-found`, `unsupported` for evidence without the matrix or its gradients; what reading throws.
 * @remarks Rows that are coupled are neighbours, at most `rows` of one block; the damping of the factors is in the cost.
 */
export async function coupledCosts(
  tensor: Tensor,
  types: readonly EncodableType[],
  options: CoupledCostOptions,
): Promise<Map<EncodableType, number> | undefined> {
  const { couplings, transcoder } = options;
  const columnFactors = await couplings.columnFactors(tensor.name);
  if (!columnFactors) return undefined;
  const { rows, rowFactors, scale } = await chooseRows(tensor, options);
  const values = await readRowsAt(tensor, rows, transcoder);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const coupling: Coupling = { columnFactors, rowFactors };
  const costs = await Promise.all(
    types.filter(hasGrid).map(async (to) => {
      const columns = columnsOf(tensor.shape);
      const coded = await transcoder.transcode({ from: 'F32', to, columns, bytes, coupling });
      coded.release();
      return [to, (scale * coded.coupledError!) / 2] as const;
    }),
  );
  return new Map(costs);
}

async function chooseRows(tensor: Tensor, options: CoupledCostOptions): Promise<RowChoice> {
  const { evidence, rows: count = defaultRows, seed = 1 } = options;
  const gram = await evidence.grams?.gramOf(tensor.name);
  const random = seededRandom(seed);
  if (gram) return neighbours(gram, count, random, options);
  const uses = usesOf(tensor.name, evidence);
  const sample = sampleRows(uses, count, random);
  const [{ rows: weights }] = uses as [(typeof uses)[number]];
  const roots = sample.rows.map((row, at) => Math.sqrt(weights[row]! * sample.weights[at]!));
  return { rows: sample.rows, rowFactors: uncoupled(roots), scale: 1 };
}

/** Rows that count by the squares of `roots` and are not coupled. */
function uncoupled(roots: readonly number[]): Factors {
  const blockSize = roots.length;
  const values = new Float32Array(blockSize * blockSize);
  for (const [at, root] of roots.entries())
    values[at * blockSize + at] = root > 0 ? 1 / root : 1e18;
  return { blockSize, values };
}

async function neighbours(
  gram: Gram,
  most: number,
  random: Random,
  { couplings }: CoupledCostOptions,
): Promise<RowChoice> {
  const { rows, blockSize, tokens } = gram;
  const block = random.below(Math.ceil(rows / blockSize)) * blockSize;
  const inBlock = Math.min(blockSize, rows - block);
  const count = Math.min(most, inBlock);
  const first = block + random.below(inBlock - count + 1);
  const own = { blockSize: count, sums: partOf(gram, first, count), tokens };
  const rowFactors = await couplings.rowFactorsOf(own);
  const share = traceOf(own) / traceOf(gram);
  return {
    rows: Array.from({ length: count }, (_, row) => first + row),
    rowFactors: rowFactors ?? uncoupled(Array.from({ length: count }, () => 1)),
    scale: share > 0 ? 1 / share : 1,
  };
}

/** The square of `count` rows and columns of one block, from row `first` on. */
function partOf({ blockSize, sums }: Gram, first: number, count: number): Float32Array {
  const column = first % blockSize;
  const part = new Float32Array(count * count);
  for (let row = 0; row < count; row++) {
    const from = (first + row) * blockSize + column;
    part.set(sums.subarray(from, from + count), row * count);
  }
  return part;
}

/** Of all blocks; what fills up the last one is 0. */
function traceOf({ blockSize, sums }: { blockSize: number; sums: Float32Array }): number {
  let trace = 0;
  for (let row = 0; row < sums.length / blockSize; row++)
    trace += sums[row * blockSize + (row % blockSize)]!;
  return trace;
}
