import type { ByteSource } from '../../util/byte-source.ts';
import { closeOnFailure } from '../../util/closing.ts';
import { sliceSource } from '../../util/slice-source.ts';
import { Decoder } from './decode.ts';
import { corrupt } from './errors.ts';
import { ExternalFiles, type OpenExternal } from './external.ts';
import { graphOf, modelOf } from './from-messages.ts';
import { limits } from './limits.ts';
import type { OnnxModel, OnnxTensor } from './model.ts';
import { Scanner, type Place } from './scan.ts';
import { messages } from './schema.ts';
import { tensorOf } from './tensor-from-message.ts';

/** A model whose large constants are read from its files on demand. */
export interface OnnxFile extends OnnxModel {
  close(): Promise<void>;
}

/**
 * Reads an ONNX model; constants above 64 KiB stay in the file, or in the files beside it.
 *
 * The source and what `external` opens belong to the model from now on: `close` closes them, and so
 * does this function when it throws.
 *
 * @param external - Opens a file of weights by its location, a plain path relative to the model's
 * folder: no `..`, no drive, no address. Without it, such models are refused.
 * @throws {@link PithError} `truncated` or `corrupt` for files that contradict themselves or the
 * format; `unsupported` for functions, training, sparse tensors, sequences, maps, texts and element
 * types without a row in `onnxElementTypes`; whatever `external` throws.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Differs: a field that may come once and
 * comes twice is refused, where protobuf takes the last.
 * @remarks Doc strings, inferred types and metadata of nodes are left out. Memory is bounded by
 * the file's size and 2^21 fields. Checked against onnx 1.23.2: test/golden/onnx.
 */
export function readOnnx(source: ByteSource, external?: OpenExternal): Promise<OnnxFile> {
  const files = new ExternalFiles(source.name, external);
  const close = async () => {
    await Promise.all([source.close(), files.close()]);
  };
  return closeOnFailure({ close }, async () => {
    const { name, byteLength } = source;
    const reader = { source, files, scanner: new Scanner(source), decoder: new Decoder(name) };
    const whole = { offset: 0, byteLength };
    const { rest, apart } = await reader.scanner.split(whole, messages.Model.graph.number);
    const model = modelOf(name, reader.decoder.decode('Model', rest));
    if (apart.length !== 1) throw corrupt(name, `it has ${apart.length} graphs instead of one`);
    return { ...model, graph: await readGraph(reader, apart[0]!), close };
  });
}

interface Reader {
  readonly source: ByteSource;
  readonly files: ExternalFiles;
  readonly scanner: Scanner;
  readonly decoder: Decoder;
}

async function readGraph(reader: Reader, place: Place): Promise<OnnxModel['graph']> {
  const { scanner, decoder, source, files } = reader;
  const { rest, apart } = await scanner.split(place, messages.Graph.initializers.number);
  const initializers: OnnxTensor[] = [];
  for (const tensor of apart) initializers.push(await readTensor(reader, tensor));
  return graphOf(source.name, decoder.decode('Graph', rest), files, initializers);
}

async function readTensor(reader: Reader, place: Place): Promise<OnnxTensor> {
  const { scanner, decoder, source, files } = reader;
  if (place.byteLength <= limits.inlineBytes) {
    const message = decoder.decode('Tensor', await scanner.bytes(place));
    return tensorOf(source.name, message, files);
  }
  const { rest, apart } = await scanner.split(place, messages.Tensor.rawData.number);
  const message = decoder.decode('Tensor', rest);
  if (apart.length > 1)
    throw corrupt(source.name, `tensor "${message.name ?? ''}" has two raw data`);
  const raw = apart[0] && sliceSource(source, apart[0].offset, apart[0].byteLength, message.name);
  return tensorOf(source.name, message, files, raw);
}
