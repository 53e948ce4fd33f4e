import type { Node } from '../graph.ts';
import { evaluateNode } from '../reference/evaluate.ts';
import { sizeOf } from '../shapes.ts';
import { tensorData } from '../tensor-data.ts';
import type { TensorData, Value } from '../value.ts';

/** Results above this many elements are computed by the engine, not stored in the graph. */
const foldedElements = 64;

/** The data of the constants among the values of a graph, by id. */
export type Constants = ReadonlyMap<number, TensorData>;

/** A node of small constants as the constant that it computes; any other node as it is. */
export function foldConstants(node: Node, constants: Constants): Node {
  const { inputs, outputs } = node;
  const [output] = outputs;
  if (outputs.length !== 1 || sizeOf(output!.shape) > foldedElements) return node;
  const operands = inputs.map(({ id }) => constants.get(id));
  if (operands.length === 0 || operands.includes(undefined)) return node;
  const numbers = operands.map((data) => Float64Array.from(data!, Number));
  const data = tensorData(output!.type, evaluateNode(node, numbers)[0]!);
  return { op: 'constant', inputs: [], attributes: { data, shape: output!.shape }, outputs };
}

/** The number that a constant of one element holds. */
export function constantNumber(value: Value, constants: Constants): number | undefined {
  const data = constants.get(value.id);
  return data?.length === 1 ? Number(data[0]) : undefined;
}
