import { writeFileSync } from 'node:fs';
import { meta, type MetadataValue } from '../../src/formats/gguf/metadata.ts';
import { planGguf } from '../../src/formats/gguf/plan.ts';
import { writeGguf } from '../../src/formats/gguf/write.ts';
import type { Model } from '../../src/models/model.ts';
import { rowsOf, type Tensor } from '../../src/tensor/tensor.ts';

/** A vocabulary of `size` invented tokens, for models that have none: llama.cpp demands one. */
function inventedVocabulary(size: number): [string, MetadataValue][] {
  const special = ['<s>', '</s>', '<unk>', '<|endoftext|>'];
  const tokens = Array.from({ length: size }, (_, token) => special[token] ?? `t${token}`);
  return [
    ['tokenizer.ggml.model', meta.string('gpt2')],
    ['tokenizer.ggml.pre', meta.string('gpt-2')],
    ['tokenizer.ggml.tokens', meta.strings(tokens)],
    ['tokenizer.ggml.token_type', meta.int32s(tokens.map(() => 1))],
    ['tokenizer.ggml.merges', meta.strings(['t 1'])],
    ['tokenizer.ggml.bos_token_id', meta.uint32(0)],
    ['tokenizer.ggml.eos_token_id', meta.uint32(0)],
    ['tokenizer.ggml.add_bos_token', meta.bool(false)],
    ['tokenizer.ggml.add_eos_token', meta.bool(false)],
  ];
}

/** Writes a small model as a GGUF file, with an invented vocabulary if it has none. */
export async function writeModelGguf(path: string, model: Model): Promise<void> {
  const tensors = [...model.tensors.values()];
  const size = model.tensors.get('token_embd.weight')!.shape[0]!;
  const hasVocabulary = model.metadata.has('tokenizer.ggml.tokens');
  const vocabulary = hasVocabulary ? [] : inventedVocabulary(size);
  const metadata = new Map([...model.metadata, ...vocabulary]);
  const plan = planGguf(metadata, tensors as Parameters<typeof planGguf>[1]);
  const parts: Uint8Array[] = [];
  const sink = { write: (part: Uint8Array) => Promise.resolve(void parts.push(part.slice())) };
  await writeGguf(plan, sink, async function* ({ name }) {
    yield await wholeOf(model.tensors.get(name)!);
  });
  writeFileSync(path, Buffer.concat(parts));
}

function wholeOf(tensor: Tensor): Promise<Uint8Array> {
  return tensor.read(0, rowsOf(tensor.shape));
}
