import { writeFileSync } from 'node:fs';
import {
  metadataTypes,
  type Metadata,
  type MetadataValue,
} from '../../src/formats/gguf/metadata.ts';

/** The least that llama.cpp asks of a model file of which only the vocabulary is loaded. */
const architecture: readonly [string, MetadataValue][] = [
  ['general.architecture', { type: 'string', value: 'llama' }],
  ['llama.context_length', { type: 'uint32', value: 512 }],
  ['llama.embedding_length', { type: 'uint32', value: 32 }],
  ['llama.block_count', { type: 'uint32', value: 1 }],
  ['llama.feed_forward_length', { type: 'uint32', value: 32 }],
  ['llama.attention.head_count', { type: 'uint32', value: 1 }],
  ['llama.attention.layer_norm_rms_epsilon', { type: 'float32', value: 1e-5 }],
];

function scalar(type: string, value: unknown): Buffer {
  if (type === 'string') {
    const text = Buffer.from(value as string);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    return Buffer.concat([length, text]);
  }
  const bytes = Buffer.alloc(type === 'bool' || type === 'uint8' ? 1 : 4);
  if (bytes.length === 1) bytes.writeUInt8(Number(value));
  else if (type === 'float32') bytes.writeFloatLE(value as number);
  else if (type === 'int32') bytes.writeInt32LE(value as number);
  else bytes.writeUInt32LE(value as number);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function entry(key: string, value: MetadataValue): Buffer {
  const parts = [scalar('string', key), scalar('uint32', metadataTypes[value.type])];
  if (value.type === 'array') {
    parts.push(scalar('uint32', metadataTypes[value.items]), uint64(value.value.length));
    for (const item of value.value) parts.push(scalar(value.items, item));
  } else parts.push(scalar(value.type, value.value));
  return Buffer.concat(parts);
}

/** Writes a GGUF v3 file that holds a vocabulary and no tensors. */
export function writeVocabularyGguf(path: string, vocabulary: Metadata): void {
  const entries = [...architecture, ...vocabulary];
  writeFileSync(
    path,
    Buffer.concat([
      Buffer.from('GGUF'),
      scalar('uint32', 3),
      uint64(0),
      uint64(entries.length),
      ...entries.map(([key, value]) => entry(key, value)),
    ]),
  );
}
