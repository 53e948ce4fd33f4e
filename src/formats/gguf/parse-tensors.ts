import { blockTypeOfId, blockTypes, type BlockType } from '../../tensor/block-types.ts';
import { columnsOf } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { tensorBytes, type TensorPlace } from '../stored-tensor.ts';
import type { Cursor } from './cursor.ts';
import { limits } from './limits.ts';
import { parseText } from './parse-metadata.ts';

/** One entry of the tensor table; `offset` counts from the start of the data section. */
export type TensorEntry = TensorPlace<BlockType>;

/** Parses one entry of the tensor table. ggml lists dimensions innermost first: they are reversed. */
export function parseTensorEntry(cursor: Cursor): readonly [string, TensorEntry] {
  const name = parseText(cursor);
  const dimensions = cursor.uint32();
  if (dimensions > limits.dimensions) {
    throw cursor.corrupt(
      `tensor "${name}" has ${dimensions} dimensions, at most ${limits.dimensions} are allowed.`,
    );
  }
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i++) shape.unshift(cursor.uint64(`a dimension of "${name}"`));
  const type = blockType(cursor, name, cursor.uint32());
  const offset = cursor.uint64(`the offset of "${name}"`);
  if (columnsOf(shape) % blockTypes[type].weights !== 0) {
    throw cursor.corrupt(
      `tensor "${name}" has rows of ${columnsOf(shape)} weights, not a multiple of ${blockTypes[type].weights} (${type}).`,
    );
  }
  const byteLength = tensorBytes(name, shape, type);
  return [name, { name, shape, type, offset, byteLength }];
}

function blockType(cursor: Cursor, name: string, id: number): BlockType {
  const type = blockTypeOfId(id);
  if (type !== undefined) return type;
  throw new PithError(
    'unsupported',
    `${cursor.name}: tensor "${name}" has ggml type ${id}, which Pith does not know.`,
    'It may be a type that ggml removed or added later: requantize the model from its original weights.',
  );
}

/**
 * Checks that tensors lie aligned, inside the file and apart from each other; returns them with
 * offsets from the start of the file.
 */
export function placeTensors(
  cursor: Cursor,
  entries: readonly TensorEntry[],
  data: { readonly offset: number; readonly alignment: number },
): TensorPlace<BlockType>[] {
  const places = entries.map((entry) => ({ ...entry, offset: data.offset + entry.offset }));
  const inOrder = places.toSorted((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let free = data.offset;
  for (const { name, offset, byteLength } of inOrder) {
    if ((offset - data.offset) % data.alignment !== 0) {
      throw cursor.corrupt(
        `tensor "${name}" starts at ${offset - data.offset}, not a multiple of ${data.alignment}.`,
      );
    }
    if (offset < free) {
      throw cursor.corrupt(`tensor "${name}" starts at byte ${offset}, inside another one.`);
    }
    free = offset + byteLength;
  }
  const last = inOrder.at(-1);
  if (last && free > cursor.fileBytes) throw missingData(cursor, last.name, free);
  return places;
}

function missingData(cursor: Cursor, last: string, end: number): PithError {
  return new PithError(
    'truncated',
    `${cursor.name}: tensor "${last}" ends at byte ${end}, but the file has ${cursor.fileBytes} bytes.`,
    'The file is cut short: copy or download it again.',
  );
}
