import type { Graph, Node } from '../graph.ts';
import type { AnySignature, Op } from '../signatures.ts';
import type { Value } from '../value.ts';
import { choices, pairs, singles } from './elementwise.ts';
import { indexing } from './indexing.ts';
import type { Kernel, Kernels } from './kernel.ts';
import { layout } from './layout.ts';
import type { Numbers } from './numbers.ts';
import { products } from './products.ts';
import { reduction } from './reduction.ts';

const kernels: Kernels<Op> = {
  constant: (_, { data }) => [Float64Array.from(data, Number)],
  ...pairs,
  ...singles,
  ...choices,
  ...products,
  ...layout,
  ...indexing,
  ...reduction,
};

/**
 * Runs a graph in doubles from end to end: the truth that engines and gradients are compared with.
 *
 * @param inputs - Row-major elements by name, one entry an input; sizes are not checked.
 * @throws PithError `shape` for an index outside its axis.
 */
export function evaluate(
  graph: Graph,
  inputs: Readonly<Record<string, Float64Array>>,
): Record<string, Float64Array> {
  const known = new Map<number, Float64Array>();
  for (const { name, value } of graph.inputs) known.set(value.id, inputs[name]!);
  for (const node of graph.nodes) {
    const results = evaluateNode(
      node,
      node.inputs.map(({ id }) => known.get(id)!),
    );
    for (const [i, { id }] of node.outputs.entries()) known.set(id, results[i]!);
  }
  return Object.fromEntries(graph.outputs.map(({ name, value }) => [name, known.get(value.id)!]));
}

/** Runs one node on the elements of its operands. */
export function evaluateNode(
  node: Node,
  operands: readonly Float64Array[],
): readonly Float64Array[] {
  const numbers = node.inputs.map(({ type, shape }: Value, i): Numbers => ({
    type,
    shape,
    data: operands[i]!,
  }));
  const kernel = kernels[node.op as Op] as unknown as Kernel<AnySignature>;
  return kernel(numbers, node.attributes, node.outputs);
}
