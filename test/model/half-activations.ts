import { GraphBuilder, type Graph, type Value } from '../../src/graph/index.ts';
import type { AttributesOf, InputsOf, Op } from '../../src/graph/signatures.ts';

/** Activations that {@link withHalfActivations} needs as outputs of the graph: those around GELU. */
export function tapsAroundActivation(taps: readonly string[]): string[] {
  const around = /^blk\.\d+\.ffn_(gate\.output|up\.output|down\.input)$/;
  return taps.filter((name) => around.test(name));
}

/**
 * The same graph with what enters and leaves each GELU rounded to 11 bits, as in llama.cpp, which
 * looks it up in a table from 16-bit floats to 16-bit floats (ggml_vec_gelu_f32, ggml v0.5.0).
 */
export function withHalfActivations(graph: Graph): Graph {
  const tapped = new Map(graph.outputs.map(({ name, value }) => [name, value]));
  const points = new Set<number>();
  for (const [name, value] of tapped) {
    if (!name.endsWith('ffn_down.input')) continue;
    const gate = tapped.get(name.replace('ffn_down.input', 'ffn_gate.output'));
    const product = graph.nodes.find(({ outputs }) => outputs[0]!.id === value.id)!;
    const entering = gate ?? tapped.get(name.replace('ffn_down.input', 'ffn_up.output'))!;
    points.add(entering.id).add(gate ? product.inputs[0]!.id : value.id);
  }
  return rounded(graph, points);
}

function rounded(graph: Graph, points: ReadonlySet<number>): Graph {
  const g = new GraphBuilder();
  const values = new Map<number, Value>();
  for (const { name, value } of graph.inputs) {
    values.set(value.id, g.input(name, value.type, value.shape));
  }
  for (const { op, inputs, attributes, outputs } of graph.nodes) {
    const made = g.emit(
      op as Op,
      inputs.map(({ id }) => values.get(id)!) as InputsOf<Op>,
      attributes as AttributesOf<Op>,
    );
    for (const [at, { id }] of outputs.entries()) {
      values.set(id, points.has(id) ? elevenBits(g, made[at]!) : made[at]!);
    }
  }
  for (const { name, value } of graph.outputs) g.output(name, values.get(value.id)!);
  return g.build();
}

/** Nearest f32 with 11 significant bits: Veltkamp's splitting with 2^13 + 1. */
function elevenBits(g: GraphBuilder, x: Value): Value {
  const large = g.mul(x, g.scalar(2 ** 13 + 1));
  return g.sub(large, g.sub(large, x));
}
