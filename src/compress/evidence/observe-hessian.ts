import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/value.ts';

/** A part of a Hessian: neighbouring columns against themselves. */
export interface HessianPart {
  /** Of the graph: the sums so far, `[columns, columns]`. */
  readonly input: string;
  /** And with those of this run. */
  readonly output: string;
  readonly columns: number;
}

/** Inputs and outputs of a graph that add up a Hessian. */
export interface ObservedHessian {
  /** Of the activations. */
  readonly columns: number;
  readonly blockSize: number;
  /** In order; only the last may have fewer columns than `blockSize`. */
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
  for (let first = 0; first < columns; first += blockSize) {
    const end = Math.min(columns, first + blockSize);
    const size = end - first;
    const own = size === columns ? rows : g.slice(rows, 1, first, end);
    const output = `${name}.hessian.${first}`;
    const before = g.input(`${output}.before`, 'f32', [size, size]);
    g.output(output, g.gemm(own, own, { transA: true, bias: before }));
    parts.push({ input: `${output}.before`, output, columns: size });
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
