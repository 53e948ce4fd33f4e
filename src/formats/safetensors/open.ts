import { dtypes, type Dtype } from '../../tensor/dtypes.ts';
import type { ByteSource } from '../../util/byte-source.ts';
import { PithError } from '../../util/errors.ts';
import { closeOnFailure } from '../../util/closing.ts';
import { parseStrictJson, type Json } from '../../util/strict-json.ts';
import {
  storedTensor,
  tensorBytes,
  type StoredTensor,
  type TensorPlace,
} from '../stored-tensor.ts';

/** The limit of the `safetensors` package too. */
const maxHeaderBytes = 100_000_000;
const lengthBytes = 8;
/** The first 8 letters of the small text that git leaves in place of a large file. */
const lfsPointer = 'version ';

/** A safetensors file, or a sharded set, whose header is checked and whose tensors read on demand. */
export interface SafetensorsFile {
  readonly name: string;
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, StoredTensor<Dtype>>;
  /** The texts under `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/**
 * Reads and checks the header of a safetensors file.
 *
 * The source belongs to the file from now on: `close` closes it, and so does this function when it
 * throws.
 *
 * @throws {@link PithError} `corrupt` when names repeat, a shape contradicts its bytes, or tensors
 * overlap or leave holes; `truncated` when data are missing; `unsupported` for an unknown dtype.
 * @see https://github.com/huggingface/safetensors, README "Format". Differs: a name given twice and
 * unknown fields are refused.
 * @remarks Checked against files of the safetensors package 0.8.0: test/golden/formats.
 */
export async function openSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  return closeOnFailure(source, () => readSafetensors(source));
}

async function readSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  const { name } = source;
  const { text, dataStart } = await readHeader(source);
  const header = parseStrictJson(text, name);
  if (!(header instanceof Map)) throw corrupt(name, 'the header is not a JSON object');
  const entries: ReadonlyMap<string, Json> = header;
  const metadata = parseMetadata(name, entries.get('__metadata__'));
  const places = [...entries]
    .filter(([key]) => key !== '__metadata__')
    .map(([key, value]) => parsePlace(name, key, value));
  const inOrder = places.toSorted((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkCoverage(source, inOrder, dataStart);
  const tensors = new Map(
    inOrder.map((place) => {
      const offset = dataStart + place.offset;
      return [place.name, storedTensor(source, { ...place, offset })];
    }),
  );
  return { name, tensors, metadata, close: () => source.close() };
}

async function readHeader(source: ByteSource): Promise<{ text: string; dataStart: number }> {
  const { name, byteLength } = source;
  const lengthField = await source.read(0, lengthBytes);
  const { buffer, byteOffset } = lengthField;
  const length = new DataView(buffer, byteOffset, lengthBytes).getBigUint64(0, true);
  if (new TextDecoder().decode(lengthField) === lfsPointer) throw pointerOnly(source);
  if (length > maxHeaderBytes) {
    throw corrupt(
      name,
      `the header would have ${length} bytes, at most ${maxHeaderBytes} are allowed`,
    );
  }
  if (lengthBytes + Number(length) > byteLength) {
    throw truncated(
      name,
      `the header has ${length} bytes, but only ${byteLength - lengthBytes} follow`,
    );
  }
  const bytes = await source.read(lengthBytes, Number(length));
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, dataStart: lengthBytes + bytes.length };
  } catch {
    throw corrupt(name, 'the header is not UTF-8');
  }
}

/** A tensor's entry; `offset` counts from the start of the data. */
function parsePlace(file: string, name: string, entry: Json): TensorPlace<Dtype> {
  const fields = ['dtype', 'shape', 'data_offsets'];
  if (!(entry instanceof Map) || entry.size !== 3 || !fields.every((field) => entry.has(field))) {
    throw corrupt(file, `"${name}" must have dtype, shape and data_offsets, nothing else`);
  }
  const fieldsOf: ReadonlyMap<string, Json> = entry;
  const type = parseDtype(file, name, fieldsOf.get('dtype'));
  const shape = parseSizes(file, `the shape of "${name}"`, fieldsOf.get('shape'));
  const offsets = parseSizes(file, `the offsets of "${name}"`, fieldsOf.get('data_offsets'));
  const [start, end] = offsets;
  if (offsets.length !== 2 || start === undefined || end === undefined || start > end) {
    throw corrupt(file, `"${name}" has the offsets [${offsets.join(', ')}]`);
  }
  const byteLength = tensorBytes(`${file}: "${name}"`, shape, type);
  if (byteLength !== end - start) {
    const numbers = `${byteLength} bytes, but its offsets span ${end - start}`;
    throw corrupt(
      file,
      `"${name}" of shape [${shape.join(', ')}] and dtype ${type} takes ${numbers}`,
    );
  }
  return { name, shape, type, offset: start, byteLength };
}

function parseDtype(file: string, name: string, dtype: Json | undefined): Dtype {
  if (typeof dtype === 'string' && Object.hasOwn(dtypes, dtype)) return dtype as Dtype;
  if (typeof dtype !== 'string') throw corrupt(file, `the dtype of "${name}" is not a text`);
  throw new PithError(
    'unsupported',
    `${file}: tensor "${name}" has the dtype ${dtype}; Pith reads ${Object.keys(dtypes).join(', ')}.`,
    'Convert the tensor to one of these, for example with torch and safetensors.',
  );
}

function parseSizes(file: string, what: string, value: Json | undefined): number[] {
  const sizes = Array.isArray(value) ? (value as readonly Json[]) : [];
  if (Array.isArray(value) && sizes.every(isSize)) return [...sizes];
  throw corrupt(file, `${what} must be a list of whole numbers from 0 to 2^53`);
}

function isSize(value: Json): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** The data must be exactly the tensors, one after the other. */
function checkCoverage(source: ByteSource, inOrder: readonly TensorPlace[], start: number): void {
  const { name, byteLength } = source;
  let end = 0;
  for (const place of inOrder) {
    if (place.offset !== end) {
      const relation =
        place.offset < end ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw corrupt(name, `"${place.name}" at offset ${place.offset} ${relation} (ends at ${end})`);
    }
    end += place.byteLength;
  }
  const held = byteLength - start;
  if (held < end) throw truncated(name, `the tensors take ${end} bytes, but only ${held} follow`);
  if (held > end) throw corrupt(name, `${held - end} bytes after the last tensor belong to none`);
}

function parseMetadata(file: string, value: Json | undefined): ReadonlyMap<string, string> {
  if (value === undefined) return new Map();
  if (value instanceof Map && [...value.values()].every(isText)) return value;
  throw corrupt(file, '__metadata__ must map texts to texts');
}

function isText(value: Json): value is string {
  return typeof value === 'string';
}

function pointerOnly({ name, byteLength }: ByteSource): PithError {
  return new PithError(
    'corrupt',
    `${name}: a Git LFS pointer of ${byteLength} bytes, not the file that it stands for.`,
    'Fetch the file itself: git lfs pull',
  );
}

function corrupt(file: string, problem: string): PithError {
  const hint =
    'The file is damaged or was not written as safetensors: get it again from its source.';
  return new PithError('corrupt', `${file}: ${problem}.`, hint);
}

function truncated(file: string, problem: string): PithError {
  const hint = 'The file is cut short: copy or download it again.';
  return new PithError('truncated', `${file}: ${problem}.`, hint);
}
