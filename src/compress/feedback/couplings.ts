import type { Coupling } from '../../kernels/feedback/coupling.ts';
import type { Factors } from '../../kernels/feedback/factors.ts';
import type { Transcoder } from '../../kernels/transcoder.ts';
import type { CouplingSource } from '../quantize/coupled-tensor.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Hessian } from '../evidence/hessian.ts';
import { meanSquares } from '../evidence/moments.ts';

/** A matrix' block whose errors could not be coupled, or only with more damping than asked for. */
export interface CouplingRemark {
  readonly tensor: string;
  readonly side: 'columns' | 'rows';
  readonly remark: string;
}

/**
 * How much is added to the diagonals before they are factored, as a share of their means. Default 0.05, and of few
 * tokens the columns of a block by its tokens: what they say of couplings is mostly noise.
 */
export interface CouplingOptions {
  readonly columnDamping?: number;
  readonly rowDamping?: number;
  /** Matrices that are not coupled, whatever the evidence says. */
  readonly except?: ReadonlySet<string>;
}

interface Side extends Pick<CouplingRemark, 'tensor' | 'side'> {
  readonly damping: number | undefined;
}

interface SymmetricBlocks {
  readonly blockSize: number;
  readonly sums: Float32Array;
  readonly tokens: number;
}

/** Of so many tokens that what they say is no noise. */
const leastDamping = 0.05;
/** The embedding, which is the output matrix too where it has a Hessian. */
const table = 'token_embd.weight';
/** Tensors of which factors are held. */
const kept = 2;

/**
 * Factors what evidence says of how the errors of matrices are coupled, on the transcoder's threads. The factors of
 * one matrix are held at a time, and those of its inputs while the next matrix reads the same.
 *
 * A block that no damping makes positive definite leaves its matrix without feedback on that side; `remarks` says so.
 */
export class Couplings implements CouplingSource {
  readonly remarks: CouplingRemark[] = [];
  readonly #evidence: Evidence;
  readonly #transcoder: Transcoder;
  readonly #options: CouplingOptions;
  readonly #columns = new Latest<Factors | undefined>();
  readonly #rows = new Latest<Factors | undefined>();

  constructor(evidence: Evidence, transcoder: Transcoder, options: CouplingOptions = {}) {
    this.#evidence = evidence;
    this.#transcoder = transcoder;
    this.#options = options;
  }

  /** The remarks as sentences. */
  get notes(): string[] {
    return this.remarks.map(({ tensor, side, remark }) => `${tensor}, ${side}: ${remark}.`);
  }

  /** @see CouplingSource */
  coupledRows(tensor: string): number | undefined {
    const { hessians, grams } = this.#evidence;
    if (!hessians?.keptAs.has(tensor) || this.#options.except?.has(tensor)) return undefined;
    return grams?.shapes.get(tensor)?.blockSize ?? 1;
  }

  /** @see CouplingSource */
  async couplingOf(tensor: string, first: number): Promise<Coupling | undefined> {
    const columnFactors = await this.columnFactors(tensor);
    if (!columnFactors) return undefined;
    const factors = await this.#rowFactors(tensor);
    if (!factors) return { columnFactors };
    const { blockSize, values } = factors;
    const square = blockSize * blockSize;
    const block = first / blockSize;
    const rowFactors = { blockSize, values: values.subarray(block * square, (block + 1) * square) };
    return { columnFactors, rowFactors };
  }

  /** How the errors of a matrix' columns are coupled; undefined without a Hessian that can be factored. */
  columnFactors(tensor: string): Promise<Factors | undefined> {
    const { hessians } = this.#evidence;
    const keptAs = hessians?.keptAs.get(tensor);
    if (!hessians || keptAs === undefined) return Promise.resolve(undefined);
    const { columnDamping: damping } = this.#options;
    return this.#columns.get(keptAs, async () => {
      const hessian = await hessians.hessianOf(tensor);
      if (!hessian) return undefined;
      const whole = tensor === table ? withTable(hessian, this.#evidence) : hessian;
      return this.#factored(whole, { tensor, side: 'columns', damping });
    });
  }

  #rowFactors(tensor: string): Promise<Factors | undefined> {
    const { rowDamping: damping } = this.#options;
    return this.#rows.get(tensor, async () => {
      const gram = await this.#evidence.grams?.gramOf(tensor);
      return gram && this.#factored(gram, { tensor, side: 'rows', damping });
    });
  }

  /** Factors of some rows that are coupled by given sums over tokens; undefined where no damping helps. */
  async rowFactorsOf(blocks: SymmetricBlocks): Promise<Factors | undefined> {
    const { rowDamping: damping } = this.#options;
    return (await this.#factor(blocks, damping)).factors;
  }

  async #factored(
    blocks: SymmetricBlocks,
    { tensor, side, damping }: Side,
  ): Promise<Factors | undefined> {
    const { factors, most, least } = await this.#factor(blocks, damping);
    if (!factors) {
      const remark = `not positive definite with ${most} of the mean diagonal added: no feedback`;
      this.remarks.push({ tensor, side, remark });
    } else if (most > least)
      this.remarks.push({
        tensor,
        side,
        remark: `factored with ${most} of the mean diagonal added`,
      });
    return factors;
  }

  /** The factors, and the least and the most damping that a block was tried with. */
  async #factor({ blockSize, sums, tokens }: SymmetricBlocks, asked: number | undefined) {
    const damping = asked ?? Math.max(leastDamping, blockSize / tokens);
    const square = blockSize * blockSize;
    const values = new Float32Array(new SharedArrayBuffer(4 * sums.length));
    const jobs = Array.from({ length: sums.length / square }, (_, block) => {
      const range = [block * square, (block + 1) * square] as const;
      const [matrix, out] = [sums.subarray(...range), values.subarray(...range)];
      return this.#transcoder.factor({ matrix, size: blockSize, scale: 1 / tokens, damping, out });
    });
    const results = await Promise.all(jobs);
    const most = Math.max(...results.map((result) => result.damping));
    const factors = results.every(({ ok }) => ok) ? { blockSize, values } : undefined;
    return { factors, most, least: damping };
  }
}

/**
 * The Hessian of a tied embedding: what it does as a table of rows is added to what it does as the output matrix,
 * by the mean squares of the gradient by what is looked up.
 */
function withTable(hessian: Hessian, { tensors, embedding }: Evidence): Hessian {
  const outputs = tensors.get(table)?.outputs;
  if (!outputs || !embedding) return hessian;
  const { blockSize, columns, tokens } = hessian;
  const share = 1 / meanSquares(outputs).reduce((sum, square) => sum + square, 0);
  const gradients = meanSquares(embedding.gradients);
  const sums = hessian.sums.slice();
  for (let column = 0; column < columns; column++)
    sums[column * blockSize + (column % blockSize)]! += tokens * share * gradients[column]!;
  return { ...hessian, sums };
}

/** The last few of some values that are costly to make: slabs of neighbouring tensors are in flight together. */
class Latest<T> {
  readonly #known = new Map<string, Promise<T>>();

  get(key: string, make: () => Promise<T>): Promise<T> {
    const found = this.#known.get(key) ?? make();
    this.#known.delete(key);
    this.#known.set(key, found);
    for (const old of [...this.#known.keys()].slice(0, -kept)) this.#known.delete(old);
    return found;
  }
}
