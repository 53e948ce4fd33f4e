import type { OnnxModel, OnnxNode, OnnxTensor, OnnxValueInfo } from '../formats/onnx/model.ts';
import { version } from '../util/version.ts';
import type { Graph, NamedValue, Node } from './graph.ts';
import type { OnnxCall, OpRow } from './op-row.ts';
import { onnxTypes } from './ops/onnx-types.ts';
import { ops } from './ops/table.ts';
import type { AnySignature, Op } from './signatures.ts';
import { elementTypeOf, int64 } from './tensor-data.ts';
import type { Shape, TensorData, Value } from './value.ts';

/** The oldest set with all that our rows use (axes of reductions as operands), and its IR version. */
const opset = 18;
const irVersion = 8;

/**
 * Writes a graph in ONNX's own operators (opset 18).
 *
 * Inputs stay inputs, constants become initializers. Inputs and outputs keep their names; between
 * them a value is named for its operator and, where one takes part, for the named input it reads.
 */
export function toOnnx(
  graph: Graph,
  { name = 'pith', metadata = {} }: { name?: string; metadata?: Record<string, string> } = {},
): OnnxModel {
  const writer = new OnnxWriter(graph);
  for (const node of graph.nodes) writer.add(node);
  return {
    irVersion,
    opsets: { '': opset },
    producerName: 'pith',
    producerVersion: version,
    metadata,
    graph: {
      name,
      nodes: [...writer.nodes, ...writer.copies()],
      inputs: graph.inputs.map(valueInfo),
      outputs: graph.outputs.map(valueInfo),
      initializers: writer.initializers,
    },
  };
}

class OnnxWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #graph: Graph;
  readonly #inputNames: ReadonlyMap<number, string>;
  readonly #taken: Set<string>;
  readonly #counts = new Map<string, number>();
  readonly #names = new Map<number, string>();
  readonly #integers = new Map<string, string>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#taken = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name));
    this.#inputNames = new Map(graph.inputs.map(({ name, value }) => [value.id, name]));
    for (const [id, name] of this.#inputNames) this.#names.set(id, name);
    const constants = graph.nodes.filter(({ op }) => op === 'constant');
    for (const { outputs } of constants) this.#names.set(outputs[0]!.id, this.#free('constant'));
    for (const { name, value } of graph.outputs)
      if (!this.#names.has(value.id)) this.#names.set(value.id, name);
  }

  /** Adds what a node becomes. */
  add(node: Node): void {
    if (node.op === 'constant') {
      const { data, shape } = node.attributes as { data: TensorData; shape: Shape };
      this.#initializer(this.#nameOf(node.outputs[0]!), data, shape);
      return;
    }
    const base = this.#baseName(node);
    const call: OnnxCall<AnySignature> = {
      inputs: node.inputs.map((value) => this.#nameOf(value)),
      outputs: node.outputs.map((value) => this.#nameOf(value, base)),
      attributes: node.attributes,
      node,
      integers: (values, shape = [values.length]) => this.#integersNamed(values, shape),
      between: (hint) => this.#free(`${base}/${hint}`),
    };
    const row = ops[node.op as Op] as unknown as OpRow<AnySignature>;
    this.nodes.push(...row.onnx(call).map((onnx) => ({ name: onnx.outputs[0]!, ...onnx })));
  }

  /** Outputs that are inputs, constants or another output under a second name. */
  copies(): OnnxNode[] {
    return this.#graph.outputs.flatMap(({ name, value }) => {
      const known = this.#nameOf(value);
      return known === name ? [] : [{ opType: 'Identity', name, inputs: [known], outputs: [name] }];
    });
  }

  #nameOf({ id }: Value, base = ''): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const name = this.#free(base);
    this.#names.set(id, name);
    return name;
  }

  /** `softmax`, or `model.norm.weight/mul` for what reads a named input. */
  #baseName({ op, inputs }: Node): string {
    const read = inputs.findLast(({ id }) => this.#inputNames.has(id));
    return read ? `${this.#nameOf(read)}/${op}` : op;
  }

  #free(base: string): string {
    let count = this.#counts.get(base) ?? 0;
    let name = base;
    while (this.#taken.has(name)) name = `${base}_${++count}`;
    this.#counts.set(base, count);
    this.#taken.add(name);
    return name;
  }

  #integersNamed(values: readonly number[], shape: readonly number[]): string {
    const key = `${values.join(',')}/${shape.join(',')}`;
    const known = this.#integers.get(key);
    if (known !== undefined) return known;
    const name = this.#free('integers');
    this.#integers.set(key, name);
    this.#initializer(name, int64(values), shape);
    return name;
  }

  #initializer(name: string, data: TensorData, shape: Shape): void {
    const elementType = onnxTypes[elementTypeOf(data)];
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.initializers.push({ name, elementType, shape, data: bytes });
  }
}

function valueInfo({ name, value }: NamedValue): OnnxValueInfo {
  return { name, elementType: onnxTypes[value.type], shape: value.shape };
}
