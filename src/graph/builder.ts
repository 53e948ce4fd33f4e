import { PithError } from '../util/errors.ts';
import type { Graph, NamedValue, Node } from './graph.ts';
import { Operations } from './operations.ts';
import { ops } from './ops/table.ts';
import { withoutDeadNodes } from './rewrites/dead-nodes.ts';
import type { AttributesOf, InputsOf, Op } from './signatures.ts';
import type { ElementType, Shape, Value } from './value.ts';

/**
 * Makes a graph node by node.
 *
 *     const g = new GraphBuilder();
 *     const x = g.input('x', 'f32', [4, 8]);
 *     g.output('y', g.linear(x, g.input('weight', 'f32', [16, 8])));
 *     const graph = g.build();
 */
export class GraphBuilder extends Operations {
  readonly #inputs: NamedValue[] = [];
  readonly #nodes: Node[] = [];
  readonly #outputs: NamedValue[] = [];
  readonly #names = new Set<string>();
  #nextId = 0;

  /** Starts empty, or with all of `graph`, whose values stay valid. */
  constructor(graph?: Graph) {
    super();
    if (!graph) return;
    this.#inputs.push(...graph.inputs);
    this.#nodes.push(...graph.nodes);
    this.#outputs.push(...graph.outputs);
    for (const { name } of [...graph.inputs, ...graph.outputs]) this.#names.add(name);
    for (const { value } of graph.inputs) this.#nextId = Math.max(this.#nextId, value.id + 1);
    for (const { outputs } of graph.nodes)
      for (const { id } of outputs) this.#nextId = Math.max(this.#nextId, id + 1);
  }

  /** Data that a run brings along: activations, and weights that are trained or lie at the engine. */
  input(name: string, type: ElementType, shape: Shape): Value {
    this.#demandNew(name);
    const value = this.#value({ type, shape });
    this.#inputs.push({ name, value });
    return value;
  }

  /** Names a result of the graph; names of inputs and outputs are all different. */
  output(name: string, value: Value): void {
    this.#demandNew(name);
    this.#outputs.push({ name, value });
  }

  emit<O extends Op>(op: O, inputs: InputsOf<O>, attributes: AttributesOf<O>): readonly Value[] {
    const outputs = ops[op].infer(inputs, attributes).map((result) => this.#value(result));
    this.#nodes.push({ op, inputs, attributes, outputs });
    return outputs;
  }

  /** The graph so far, without the nodes that no output needs; all inputs stay. */
  build(): Graph {
    const nodes = withoutDeadNodes(this.#nodes, this.#outputs);
    return { inputs: [...this.#inputs], nodes, outputs: [...this.#outputs] };
  }

  #value({ type, shape }: Omit<Value, 'id'>): Value {
    return { id: this.#nextId++, type, shape };
  }

  #demandNew(name: string): void {
    if (this.#names.has(name))
      throw new PithError('shape', `two inputs or outputs of a graph have the name '${name}'`);
    this.#names.add(name);
  }
}
