import type { Factors } from '../../kernels/feedback/factors.ts';
import { seededRandom, type Random } from '../../util/random.ts';
import { sampleRows } from '../allocate/sample-rows.ts';
import { usesOf } from '../allocate/uses.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Gram } from '../evidence/gram.ts';
import type { Couplings } from './couplings.ts';

/** How rows are chosen. */
export interface RowChoiceOptions {
  readonly evidence: Evidence;
  readonly couplings: Couplings;
  /** At most so many. Default 256. */
  readonly rows?: number;
  /** Chooses them. Default 1. */
  readonly seed?: number;
}

const defaultRows = 256;

/** Rows of a matrix that stand for all of it. */
export interface RowChoice {
  readonly rows: readonly number[];
  readonly rowFactors: Factors;
  /** What errors of two of the rows cost together, `[rows, rows]` of other evidence; diagonal where rows are not coupled. */
  weightsIn(evidence: Evidence): Promise<Float32Array>;
  /** What their cost is multiplied with. */
  readonly scale: number;
}

/**
 * Rows of a matrix: neighbours of one block where rows are coupled, else a sample by what they cost.
 *
 * @throws PithError `not-found`, `unsupported` for evidence without the matrix or its gradients.
 */
export async function chooseRows(name: string, options: RowChoiceOptions): Promise<RowChoice> {
  const { evidence, rows: count = defaultRows, seed = 1 } = options;
  const gram = await evidence.grams?.gramOf(name);
  const random = seededRandom(seed);
  if (gram) return neighbours(name, gram, { most: count, random, couplings: options.couplings });
  const uses = usesOf(name, evidence);
  const sample = sampleRows(uses, count, random);
  const weightsOf = ([use]: ReturnType<typeof usesOf>) =>
    sample.rows.map((row, at) => use!.rows[row]! * sample.weights[at]!);
  return {
    rows: sample.rows,
    rowFactors: uncoupled(weightsOf(uses)),
    weightsIn: async (other) => diagonal(weightsOf(usesOf(name, other))),
    scale: 1,
  };
}

/** Rows that count by their weights and are not coupled. */
function uncoupled(weights: readonly number[]): Factors {
  const inverses = weights.map((weight) => (weight > 0 ? 1 / Math.sqrt(weight) : 1e18));
  return { blockSize: weights.length, values: diagonal(inverses) };
}

function diagonal(elements: readonly number[]): Float32Array {
  const size = elements.length;
  const values = new Float32Array(size * size);
  for (const [at, element] of elements.entries()) values[at * size + at] = element;
  return values;
}

interface NeighbourOptions {
  readonly most: number;
  readonly random: Random;
  readonly couplings: Couplings;
}

async function neighbours(
  name: string,
  gram: Gram,
  { most, random, couplings }: NeighbourOptions,
): Promise<RowChoice> {
  const { rows, blockSize, tokens } = gram;
  const block = random.below(Math.ceil(rows / blockSize)) * blockSize;
  const inBlock = Math.min(blockSize, rows - block);
  const count = Math.min(most, inBlock);
  const first = block + random.below(inBlock - count + 1);
  const own = { blockSize: count, sums: partOf(gram, first, count), tokens };
  const coupled = await couplings.rowFactorsOf(own);
  const squares = Array.from({ length: count }, (_, row) => own.sums[row * (count + 1)]! / tokens);
  const share = traceOf(own) / traceOf(gram);
  return {
    rows: Array.from({ length: count }, (_, row) => first + row),
    rowFactors: coupled ?? uncoupled(squares),
    async weightsIn(other) {
      const found = await other.grams!.gramOf(name);
      return partOf(found!, first, count).map((sum) => sum / found!.tokens);
    },
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
