import type { Node } from '../graph.ts';
import { broadcast, sameShape } from '../shapes.ts';
import type { Shape, Value } from '../value.ts';

const broadcasting = new Set(['add', 'sub', 'mul', 'div', 'max', 'min', 'where']);

/**
 * Lets an operator that broadcasts read the small value instead of its expanded form, when the
 * other operands give the result its shape anyway.
 *
 * @param expanded - What each result of an `expand` was made from, by id.
 */
export function withoutExpand(node: Node, expanded: ReadonlyMap<number, Value>): Node {
  if (!broadcasting.has(node.op)) return node;
  let inputs = node.inputs;
  for (const [i, { id }] of inputs.entries()) {
    const small = expanded.get(id);
    if (!small) continue;
    const changed = inputs.with(i, small);
    const shape = changed.reduce<Shape>((sum, v) => broadcast(node.op, sum, v.shape), []);
    if (sameShape(shape, node.outputs[0]!.shape)) inputs = changed;
  }
  return { ...node, inputs };
}
