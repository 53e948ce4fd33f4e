import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/value.ts';

/** Some rows of a block of a Hessian, from the diagonal to the block's end: what is left of it is the mirror image. */
export interface HessianPart {
  /** Of the graph: the sums so far, `[rows, columns]`. */
  readonly input: string;
  /** And with those of this run. */
  readonly output: string;
  readonly block: number;
  /** In the block: its first row, and the first of its columns. */
  readonly first: number;
  readonly rows: number;
  readonly columns: number;
}

/** Blocks of so many columns are cut into four parts, which saves three eighths of the work. */
const leastCut = 1024;

/** Inputs and outputs of a graph that add up a Hessian. */
export interface ObservedHessian {
  /** Of the activations. */
  readonly columns: number;
  readonly blockSize: number;
  /** Block after block. */
  readonly parts: readonly HessianPart[];
  /** Output with the sum of what the tokens of a run weigh, `[]`; each weighs 1 when left out. */
  readonly weight?: string;
}

/** Lets a graph add Σ a aᵀ of blocks of columns, over all leading axes of `x`, to what a run brings along. */
export function observeHessian(
  g: GraphBuilder,
  name: string,
  { x, hessianBlock }: { readonly x: Value; readonly hessianBlock: number },
): ObservedHessian {
  const columns = x.shape.at(-1)!;
  const blockSize = Math.min(hessianBlock, columns);
  const rows = g.reshape(x, [-1, columns]);
  const parts: HessianPart[] = [];
  for (let start = 0; start < columns; start += blockSize) {
    const own = columnsOf(g, rows, start, Math.min(columns, start + blockSize));
    for (const part of partsOf(own.shape[1]!)) {
      const output = `${name}.hessian.${start + part.first}`;
      const input = `${output}.before`;
      const right = columnsOf(g, own, part.first, own.shape[1]!);
      const left = columnsOf(g, right, 0, part.rows);
      const before = g.input(input, 'f32', [part.rows, part.columns]);
      g.output(output, g.gemm(left, right, { transA: true, bias: before }));
      parts.push({ input, output, block: start / blockSize, ...part });
    }
  }
  return { columns, blockSize, parts };
}

/** As {@link observeHessian}, of Σ s a aᵀ: a token counts by its weight s, `[N,1]`. */
export function observeWeightedHessian(
  g: GraphBuilder,
  name: string,
  { x, weights, hessianBlock }: { x: Value; weights: Value; hessianBlock: number },
): ObservedHessian {
  const rows = g.reshape(x, [-1, x.shape.at(-1)!]);
  const weighted = g.mul(rows, g.sqrt(weights));
  const weight = `${name}.hessian.weight_sum`;
  g.output(weight, g.sum(weights));
  return { ...observeHessian(g, name, { x: weighted, hessianBlock }), weight };
}

function partsOf(size: number): Pick<HessianPart, 'first' | 'rows' | 'columns'>[] {
  const rows = size < leastCut ? size : Math.ceil(size / 4);
  return Array.from({ length: Math.ceil(size / rows) }, (_, at) => ({
    first: at * rows,
    rows: Math.min(rows, size - at * rows),
    columns: size - at * rows,
  }));
}

function columnsOf(g: GraphBuilder, x: Value, first: number, end: number): Value {
  return end - first === x.shape[1] ? x : g.slice(x, 1, first, end);
}
