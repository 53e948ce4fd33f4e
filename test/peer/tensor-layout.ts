import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { GgmlType, readGgufFileInfo } from 'node-llama-cpp';

/** What a GGUF file holds after its header. */
export interface TensorLayout {
  readonly fileType: number | undefined;
  /** Per block type: tensors, and their bytes with padding. */
  readonly types: Readonly<Record<string, readonly [tensors: number, bytes: number]>>;
  /** Of every tensor's name, type, shape and bytes. */
  readonly digest: string;
}

/** The layout of a file, read by node-llama-cpp; bytes are those to the next tensor or the file's end. */
export async function tensorLayout(path: string): Promise<TensorLayout> {
  const { fullTensorInfo = [], metadata } = await readGgufFileInfo(path);
  const inFileOrder = fullTensorInfo.toSorted(
    (a, b) => Number(a.fileOffset) - Number(b.fileOffset),
  );
  const types: Record<string, [tensors: number, bytes: number]> = {};
  const lines = inFileOrder.map(({ name, dimensions, ggmlType, fileOffset }, at) => {
    const end = inFileOrder[at + 1]?.fileOffset ?? statSync(path).size;
    const bytes = Number(end) - Number(fileOffset);
    const type = GgmlType[ggmlType];
    const [tensors, total] = types[type] ?? [0, 0];
    types[type] = [tensors + 1, total + bytes];
    return `${name} ${type} ${dimensions.join('x')} ${bytes}\n`;
  });
  const digest = createHash('sha256').update(lines.sort().join('')).digest('hex').slice(0, 16);
  return { fileType: metadata.general.file_type, types, digest };
}
