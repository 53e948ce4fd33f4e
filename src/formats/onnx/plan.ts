import type { ByteSource } from '../../util/byte-source.ts';
import { PithError } from '../../util/errors.ts';
import { encodeMessage, lengthPrefix } from './encode.ts';
import type { OnnxModel, OnnxTensor } from './model.ts';
import { messages, type Message } from './schema.ts';
import { entries, graphMessage, modelMessage, tensorMessage } from './to-messages.ts';

/** Protobuf counts the bytes of a message in 31 bits. */
const protobufLimit = 2 ** 31 - 1;
/** Constants below this stay in the model file: shapes and scalars are needed to load it. */
const smallBytes = 1024;
/** Large weights start where memory can be mapped, on Windows too (64 KiB); others at cache lines. */
const alignments = { large: 2 ** 16, largeFrom: 2 ** 20, small: 64 };

/** Bytes that stand at an offset of a planned file; gaps between them are zeros. */
interface Piece {
  readonly offset: number;
  readonly data: Uint8Array | ByteSource;
}

/** A file whose bytes are known, or known where to be read. */
export interface OnnxFilePlan {
  readonly totalBytes: number;
  /** In order, without overlap. */
  readonly pieces: readonly Piece[];
}

/** The model file and, when it would be too large for protobuf, the file of weights beside it. */
export interface OnnxPlan {
  readonly model: OnnxFilePlan;
  readonly weights?: OnnxFilePlan & { readonly location: string };
}

/** How to lay out a model. */
export interface OnnxPlanOptions {
  /** Name of the file of weights, relative to the model's folder. Default `model.onnx.data`. */
  readonly location?: string;
  /** Larger models keep their weights outside. Default 2^31 − 1, protobuf's limit. */
  readonly inlineLimitBytes?: number;
}

/**
 * Lays out an ONNX model: exact bytes and sizes, before any weight is read.
 *
 * Weights of 1 KiB and more go to a second file ("external data") when the model would exceed
 * `inlineLimitBytes`.
 *
 * @throws {@link PithError} `shape` when a tensor's data do not fit its shape; `unsupported` when the
 * graph without weights exceeds protobuf's limit, or an integer has more than 53 bits.
 * @see https://github.com/onnx/onnx/blob/main/docs/ExternalData.md
 * @remarks Checked with onnx 1.23.2 (checker, equality) and ONNX Runtime 1.30.
 */
export async function planOnnx(model: OnnxModel, options: OnnxPlanOptions = {}): Promise<OnnxPlan> {
  const { location = 'model.onnx.data', inlineLimitBytes = protobufLimit } = options;
  const head = encodeMessage('Model', modelMessage(model));
  const graph = encodeMessage('Graph', await graphMessage(model.graph));
  const { initializers } = model.graph;
  const inline = modelFile(head, graph, initializers.flatMap(inlineField));
  if (inline.totalBytes <= inlineLimitBytes || !initializers.some(isLarge)) {
    return { model: checked(inline) };
  }
  const weights = weightsFile(initializers.filter(isLarge));
  const offsets = weights.pieces.values();
  const fields = initializers.flatMap((tensor) => {
    if (!isLarge(tensor)) return inlineField(tensor);
    return externalField(tensor, location, offsets.next().value!.offset);
  });
  return { model: checked(modelFile(head, graph, fields)), weights: { ...weights, location } };
}

function modelFile(
  head: Uint8Array,
  graph: Uint8Array,
  initializers: readonly Piece['data'][],
): OnnxFilePlan {
  const graphBytes = initializers.reduce((sum, { byteLength }) => sum + byteLength, graph.length);
  // Of a file beyond the limit only the size counts; its prefix has no 32-bit form.
  const prefix = lengthPrefix(messages.Model.graph.number, Math.min(graphBytes, protobufLimit));
  let totalBytes = 0;
  const pieces = [head, prefix, graph, ...initializers].map((data) => {
    const offset = totalBytes;
    totalBytes += data.byteLength;
    return { offset, data };
  });
  return { totalBytes, pieces };
}

function checked(file: OnnxFilePlan): OnnxFilePlan {
  if (file.totalBytes <= protobufLimit) return file;
  throw new PithError(
    'unsupported',
    `The model file would have ${file.totalBytes} bytes; protobuf allows ${protobufLimit}.`,
    'Make its large constants initializers of the graph, which may lie in a second file.',
  );
}

function isLarge({ data }: OnnxTensor): boolean {
  return data.byteLength >= smallBytes;
}

function inlineField(tensor: OnnxTensor): Piece['data'][] {
  const { byteLength } = tensor.data;
  const raw = lengthPrefix(messages.Tensor.rawData.number, Math.min(byteLength, protobufLimit));
  return [...tensorField(tensorMessage(tensor), raw, byteLength), tensor.data];
}

function externalField(tensor: OnnxTensor, location: string, offset: number): Uint8Array[] {
  const place = { location, offset: `${offset}`, length: `${tensor.data.byteLength}` };
  const external = { externalData: entries(place), dataLocation: 1n };
  return tensorField({ ...tensorMessage(tensor), ...external }, new Uint8Array(0), 0);
}

/** An initializer up to its data, whose tag is `raw`. */
function tensorField(message: Message<'Tensor'>, raw: Uint8Array, rawBytes: number): Uint8Array[] {
  const fields = encodeMessage('Tensor', message);
  const byteLength = Math.min(fields.length + raw.length + rawBytes, protobufLimit);
  return [lengthPrefix(messages.Graph.initializers.number, byteLength), fields, raw];
}

function weightsFile(tensors: readonly OnnxTensor[]): OnnxFilePlan {
  let totalBytes = 0;
  const pieces = tensors.map(({ data }) => {
    const large = data.byteLength >= alignments.largeFrom;
    const alignment = large ? alignments.large : alignments.small;
    const offset = Math.ceil(totalBytes / alignment) * alignment;
    totalBytes = offset + data.byteLength;
    return { offset, data };
  });
  return { totalBytes, pieces };
}
