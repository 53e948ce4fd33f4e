import type { Graph, Node } from '../graph.ts';
import type { TensorData, Value } from '../value.ts';
import { CommonNodes } from './common-nodes.ts';
import { withoutDeadNodes } from './dead-nodes.ts';
import { foldConstants } from './fold-constants.ts';
import { unchangedOperand } from './identities.ts';
import { withoutExpand } from './implicit-broadcast.ts';

/**
 * The same computation in fewer nodes: small constants are folded, operators that change nothing
 * (x · 1, a reshape to the same shape) and expansions that broadcasting makes needless are left out,
 * and nothing is computed twice or without being needed. Inputs and outputs keep their names; one pass.
 */
export function simplify(graph: Graph): Graph {
  const rewriter = new Rewriter();
  for (const node of graph.nodes) rewriter.add(node);
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: rewriter.now(value) }));
  return { inputs: graph.inputs, nodes: withoutDeadNodes(rewriter.nodes, outputs), outputs };
}

class Rewriter {
  readonly nodes: Node[] = [];
  readonly #replaced = new Map<number, Value>();
  readonly #constants = new Map<number, TensorData>();
  readonly #expanded = new Map<number, Value>();
  readonly #common = new CommonNodes();

  /** What stands for a value of the original graph. */
  now(value: Value): Value {
    return this.#replaced.get(value.id) ?? value;
  }

  add(original: Node): void {
    const inputs = original.inputs.map((value) => this.now(value));
    const direct = withoutExpand({ ...original, inputs }, this.#expanded);
    const node = foldConstants(direct, this.#constants);
    const unchanged = unchangedOperand(node, this.#constants);
    const twins = unchanged ? [unchanged] : this.#common.find(node)?.outputs;
    if (twins) {
      for (const [i, { id }] of node.outputs.entries()) this.#replaced.set(id, twins[i]!);
      return;
    }
    this.nodes.push(node);
    this.#remember(node);
  }

  #remember({ op, inputs, attributes, outputs }: Node): void {
    const { id } = outputs[0]!;
    if (op === 'constant') this.#constants.set(id, attributes['data'] as TensorData);
    if (op === 'expand') this.#expanded.set(id, inputs[0]!);
  }
}
