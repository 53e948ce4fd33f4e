import type { NamedValue, Node } from '../graph.ts';

/** The nodes that some output needs, in their order. */
export function withoutDeadNodes(
  nodes: readonly Node[],
  outputs: readonly NamedValue[],
): readonly Node[] {
  const needed = new Set(outputs.map(({ value }) => value.id));
  const live = nodes.toReversed().filter(({ inputs, outputs }) => {
    const used = outputs.some(({ id }) => needed.has(id));
    if (used) for (const { id } of inputs) needed.add(id);
    return used;
  });
  return live.toReversed();
}
