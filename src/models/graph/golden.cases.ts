import { readFileSync } from 'node:fs';
import type { Graph } from '../../graph/graph.ts';
import { ReferenceEngine } from '../../graph/reference/engine.ts';
import type { TensorData } from '../../graph/value.ts';
import { rowsOf, weightsOf, type Tensor } from '../../tensor/tensor.ts';
import { huggingFaceModel } from '../hugging-face-model.ts';
import type { Model } from '../model.ts';
import { blockKinds, decoderGraph, embeddingGraph, headGraph } from './decoder.ts';

/** A small random model, told by its config.json and the shapes of its checkpoint. */
export interface GoldenModel {
  readonly label: string;
  readonly config: Readonly<Record<string, unknown>> & { readonly model_type: string };
  /** What the numbers of matrices and biases are multiplied by; 1 when left out. */
  readonly spread?: number;
  readonly stored: Readonly<Record<string, readonly number[]>>;
}

/** Answers of transformers for such models; made by interop/forward-logits.py. */
export interface GoldenForward {
  readonly source: string;
  readonly tokens: readonly number[];
  /** Positions whose logits `[V]` are kept. */
  readonly rows: readonly number[];
  readonly decoders: readonly (GoldenModel & { readonly logits: readonly number[] })[];
  /** Two texts, the second padded; hidden states are kept at `rows`, as [text, position]. */
  readonly pair: Readonly<Record<'tokens' | 'mask' | 'types', readonly (readonly number[])[]>> & {
    readonly rows: readonly (readonly [number, number])[];
  };
  readonly encoders: readonly (GoldenModel &
    Readonly<Record<'hidden' | 'embedding', readonly number[]>>)[];
}

export const golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/forward.json', import.meta.url), 'utf8'),
) as GoldenForward;

/** The numbers of interop/forward-logits.py: BF16 values in [-0.5, 0.5). */
function numbers(seed: number, count: number): Float32Array {
  const floats = new Float32Array(count);
  for (let at = 0; at < count; at++) {
    let x = (Math.imul(at, 2654435761) + seed * 40503) >>> 0;
    x = (x ^ (x >>> 15)) >>> 0;
    x = Math.imul(x, 2246822519) >>> 0;
    x = (x ^ (x >>> 13)) >>> 0;
    floats[at] = ((x >>> 16) - 32768) / 65536;
  }
  const words = new Uint32Array(floats.buffer);
  for (let at = 0; at < count; at++) words[at]! &= 0xffff0000;
  return floats;
}

function checkpointTensor(
  { config, spread = 1 }: GoldenModel,
  name: string,
  shape: readonly number[],
  seed: number,
): Tensor {
  const isNorm = shape.length === 1 && name.endsWith('weight');
  const base = isNorm && !config.model_type.startsWith('gemma') ? 1 : 0;
  const factor = isNorm ? 0.5 : spread;
  const values = numbers(seed, weightsOf(shape)).map((value) => base + factor * value);
  const bytes = new Uint8Array(values.buffer);
  const rowBytes = bytes.length / rowsOf(shape);
  const read = (first: number, count: number) =>
    Promise.resolve(bytes.subarray(first * rowBytes, (first + count) * rowBytes));
  return { name, shape, type: 'F32', read };
}

/** The model, with its weights in F32. */
export function goldenModel(description: GoldenModel): Model {
  const tensors = Object.entries(description.stored).map(
    ([name, shape], seed): [string, Tensor] => [
      name,
      checkpointTensor(description, name, shape, seed),
    ],
  );
  return huggingFaceModel({
    source: description.label,
    config: description.config,
    tensors: new Map(tensors),
    vocabulary: new Map(),
    card: { folderName: 'tiny-model' },
    smallFiles: new Map(),
    files: [],
    notes: [],
    close: () => Promise.resolve(),
  });
}

/** The weights that are inputs of a graph; `tensorOf` tells the tensor behind an input's name. */
export async function weightsFor(
  model: Model,
  graph: Graph,
  tensorOf: (input: string) => string = (input) => input,
): Promise<Record<string, TensorData>> {
  const weights: Record<string, TensorData> = {};
  for (const { name } of graph.inputs) {
    const tensor = model.tensors.get(tensorOf(name));
    if (!tensor) continue;
    const bytes = await tensor.read(0, rowsOf(tensor.shape));
    weights[name] = new Float32Array(bytes.slice().buffer);
  }
  return weights;
}

/** Runs a graph once in the scalar reference engine. */
export async function runReference(
  graph: Graph,
  inputs: Readonly<Record<string, TensorData>>,
): Promise<Readonly<Record<string, TensorData>>> {
  const program = await new ReferenceEngine().compile(graph);
  return (await program.run(inputs)).outputs;
}

/** Numbers as i64 data. */
export function ids(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from(values, BigInt);
}

/** One text of the golden tokens, and the positions whose logits are kept. */
export const sizes = { batch: 1, length: golden.tokens.length };
export const tokens: BigInt64Array = ids(golden.tokens);
export const positions: BigInt64Array = ids(golden.rows);

/** The largest distance between two lists. */
export function maxDelta(found: ArrayLike<number | bigint>, expected: readonly number[]): number {
  return expected.reduce(
    (largest, value, at) => Math.max(largest, Math.abs(value - Number(found[at]))),
    0,
  );
}

/** Logits of the kept positions by the whole graph. */
export async function wholeLogits(model: Model): Promise<TensorData> {
  const graph = decoderGraph(model, { ...sizes, logits: golden.rows.length });
  const weights = await weightsFor(model, graph);
  return (await runReference(graph, { ...weights, tokens, positions }))['logits']!;
}

/** The same in pieces: `runBlock` gives each block's output from its input. */
export async function logitsInPieces(
  model: Model,
  runBlock: (index: number, input: TensorData) => Promise<TensorData>,
): Promise<TensorData> {
  const embedding = embeddingGraph(model, sizes);
  const embedded = await runReference(embedding, {
    ...(await weightsFor(model, embedding)),
    tokens,
  });
  let hidden = embedded['hidden']!;
  for (const index of blockKinds(model).keys()) hidden = await runBlock(index, hidden);
  const head = headGraph(model, { ...sizes, logits: golden.rows.length });
  const weights = await weightsFor(model, head);
  return (await runReference(head, { ...weights, input: hidden, positions }))['logits']!;
}
