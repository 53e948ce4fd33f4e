import { PithError } from '../util/errors.ts';
import { nearestName } from '../util/nearest-name.ts';
import { GraphBuilder } from './builder.ts';
import type { Graph, NamedValue, Node } from './graph.ts';
import type { Operations } from './operations.ts';
import type { OpRow } from './op-row.ts';
import { ops } from './ops/table.ts';
import { sameShape, show, sizeOf } from './shapes.ts';
import type { AnySignature, Op } from './signatures.ts';
import { simplify } from './rewrites/simplify.ts';
import type { Shape, Value } from './value.ts';

/** The name of the output that holds the gradient by an input. */
export function gradientName(input: string): string {
  return `${input}.gradient`;
}

/**
 * Adds the gradients of a loss by some inputs, as outputs named by `gradientName`; an output of the graph
 * may stand among the inputs: a value on the way to the loss.
 *
 * Reverse mode, in the operators of the graph itself. Only what lies between these inputs and the
 * loss is gone back through: below the lowest of them, and for weights that are not among them,
 * nothing is computed. An input that is used more than once gets the sum of its gradients.
 *
 * @param loss - Name of an f32 output of one element; all outputs stay.
 * @throws {@link PithError} `not-found` for an unknown name; `shape` for a loss of more elements;
 *   `unsupported` for an input on which the loss does not depend in a way that has a gradient.
 * @see Griewank and Walther 2008, Evaluating Derivatives, chapter 3.
 * @remarks 0.1 to 0.3 s for a decoder of 30 layers (5,400 nodes). Every operator's rule is checked by
 *   finite differences; a whole decoder against PyTorch (test/golden/graph-gradients.json).
 */
export function differentiate(graph: Graph, loss: string, inputs: readonly string[]): Graph {
  const { value } = named('output', loss, graph.outputs);
  if (sizeOf(value.shape) !== 1 || value.type !== 'f32')
    throw new PithError(
      'shape',
      `the loss '${loss}' is ${value.type} ${show(value.shape)}, not one f32`,
    );
  const g = new GraphBuilder(graph);
  addGradients(g, graph, new Map([[value.id, g.expand(g.scalar(1), value.shape)]]), inputs);
  return simplify(g.build());
}

/**
 * The backward half of a part of a model: takes the part's inputs and the gradients by its `outputs`
 * (f32, as inputs named by `gradientName`), computes forward again, and returns the gradients by
 * `inputs`. Parts in a row, last one first, give what `differentiate` gives of the whole.
 *
 * @throws {@link PithError} as `differentiate`.
 * @see Chen et al. 2016, arXiv:1604.06174: memory of one part's activations for one more forward pass.
 */
export function pullBack(
  graph: Graph,
  outputs: readonly string[],
  inputs: readonly string[],
): Graph {
  const g = new GraphBuilder({ ...graph, outputs: [] });
  const seeds = new Map<number, Value>();
  for (const name of outputs) {
    const { id, shape } = named('output', name, graph.outputs).value;
    const given = g.input(gradientName(name), 'f32', shape);
    const other = seeds.get(id);
    seeds.set(id, other ? g.add(other, given) : given);
  }
  addGradients(g, graph, seeds, inputs);
  return simplify(g.build());
}

/** Names the gradients by `inputs`, from those by the results of the graph (`seeds`, by id). */
function addGradients(
  g: GraphBuilder,
  graph: Graph,
  seeds: ReadonlyMap<number, Value>,
  inputs: readonly string[],
): void {
  const known = [...graph.inputs, ...graph.outputs];
  const targets = inputs.map((name) => named('input', name, known));
  const values = targets.map(({ value }) => value);
  const gradients = goBack(g, graph, seeds, values);
  for (const { name, value } of targets) {
    const gradient = gradients.get(value.id);
    if (!gradient)
      throw new PithError(
        'unsupported',
        `nothing has a gradient by '${name}': no differentiable path leads there`,
        `Leave '${name}' out, or check what it is used for.`,
      );
    g.output(gradientName(name), gradient);
  }
}

/** Gradients by the id of each value between `targets` and the seeds. */
function goBack(
  g: Operations,
  graph: Graph,
  seeds: ReadonlyMap<number, Value>,
  targets: readonly Value[],
): ReadonlyMap<number, Value> {
  const dependent = dependents(graph, targets);
  const gradients = new Map(seeds);
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some(({ id }) => gradients.has(id) && dependent.has(id))) continue;
    for (const [i, gradient] of operandGradients(g, node, gradients).entries()) {
      const operand = node.inputs[i]!;
      if (!gradient || !dependent.has(operand.id)) continue;
      const part = sumTo(g, gradient, operand.shape);
      const other = gradients.get(operand.id);
      gradients.set(operand.id, other ? g.add(other, part) : part);
    }
  }
  return gradients;
}

/** Ids of the f32 values that depend on any of `targets`, these included. */
function dependents(graph: Graph, targets: readonly Value[]): ReadonlySet<number> {
  const ids = new Set(targets.map(({ id }) => id));
  for (const { op, inputs, outputs } of graph.nodes) {
    if ('none' in ops[op as Op].gradient || !inputs.some(({ id }) => ids.has(id))) continue;
    for (const { id, type } of outputs) if (type === 'f32') ids.add(id);
  }
  return ids;
}

function operandGradients(
  g: Operations,
  node: Node,
  gradients: ReadonlyMap<number, Value>,
): readonly (Value | null)[] {
  const { gradient } = ops[node.op as Op] as unknown as OpRow<AnySignature>;
  if ('none' in gradient) return [];
  const dys = node.outputs.map(
    ({ id, shape }) => gradients.get(id) ?? g.expand(g.scalar(0), shape),
  );
  const { inputs, outputs, attributes } = node;
  return gradient({ g, inputs, attributes, outputs, y: outputs[0]!, dys, dy: dys[0]! });
}

/** Undoes a broadcast: sums over the axes that were repeated. */
function sumTo(g: Operations, gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const added = gradient.shape.length - shape.length;
  const repeated = gradient.shape
    .map((size, axis) => (axis < added || shape[axis - added] !== size ? axis : -1))
    .filter((axis) => axis >= 0);
  return g.reshape(g.sum(gradient, repeated, true), shape);
}

function named(kind: string, name: string, values: readonly NamedValue[]): NamedValue {
  const found = values.find((value) => value.name === name);
  if (found) return found;
  const names = values.map((value) => value.name);
  const nearest = nearestName(name, names) ?? names[0];
  const hint = nearest === undefined ? `It has no ${kind}s.` : `Did you mean '${nearest}'?`;
  throw new PithError('not-found', `the graph has no ${kind} '${name}'`, hint);
}
