import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  planSafetensors,
  writeSafetensors,
  type SafetensorsInfo,
} from '../../../src/formats/safetensors/write.ts';
import { f32ToBf16 } from '../../../src/util/half-float.ts';
import { outputName } from './refusal.ts';

const sample = resolve(import.meta.dirname, '../../../models/sample');

/** One layer of the model in the box, narrow: 1.2 million weights, 2.4 MB. */
const tinyConfig = {
  model_type: 'llama',
  vocab_size: 4096,
  hidden_size: 256,
  intermediate_size: 256,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};

const layer = 'model.layers.0';
const shapes: Readonly<Record<string, readonly number[]>> = {
  'model.embed_tokens.weight': [4096, 256],
  'model.norm.weight': [256],
  [`${layer}.input_layernorm.weight`]: [256],
  [`${layer}.post_attention_layernorm.weight`]: [256],
  [`${layer}.self_attn.q_proj.weight`]: [256, 256],
  [`${layer}.self_attn.k_proj.weight`]: [128, 256],
  [`${layer}.self_attn.v_proj.weight`]: [128, 256],
  [`${layer}.self_attn.o_proj.weight`]: [256, 256],
  [`${layer}.mlp.gate_proj.weight`]: [256, 256],
  [`${layer}.mlp.up_proj.weight`]: [256, 256],
  [`${layer}.mlp.down_proj.weight`]: [256, 256],
};

/** What is wrong with a tiny model; the rest of it is right. */
export interface TinyModel {
  readonly config?: Readonly<Record<string, unknown>>;
  /** Weights that are not small numbers, by tensor and index. */
  readonly weights?: Readonly<Record<string, Readonly<Record<number, number>>>>;
  /** Other shapes; undefined leaves a tensor out. */
  readonly shapes?: Readonly<Record<string, readonly number[] | undefined>>;
  /** Other contents of files; undefined leaves a file out. */
  readonly files?: Readonly<Record<string, string | Uint8Array | undefined>>;
  /** Further options of the command that quantizes it. */
  readonly options?: readonly string[];
  /** Changes the bytes of model.safetensors. */
  readonly safetensors?: (bytes: Uint8Array) => Uint8Array;
}

/** Writes a tiny Hugging Face model into `folder/model`; returns that path. */
export async function tinyModel(folder: string, wrong: TinyModel = {}): Promise<string> {
  const path = join(folder, 'model');
  await mkdir(path);
  await copyFile(join(sample, 'tokenizer.json'), join(path, 'tokenizer.json'));
  await writeFile(join(path, 'config.json'), JSON.stringify({ ...tinyConfig, ...wrong.config }));
  const bytes = await tinySafetensors(wrong);
  await writeFile(join(path, 'model.safetensors'), wrong.safetensors?.(bytes) ?? bytes);
  for (const [name, content] of Object.entries(wrong.files ?? {})) {
    if (content !== undefined) await writeFile(join(path, name), content);
    else await rm(join(path, name));
  }
  return path;
}

async function tinySafetensors({ shapes: others, weights = {} }: TinyModel): Promise<Uint8Array> {
  const tensors = Object.entries({ ...shapes, ...others }).flatMap(
    ([name, shape]): SafetensorsInfo[] => (shape ? [{ name, shape, type: 'BF16' }] : []),
  );
  const plan = planSafetensors(tensors);
  const parts: Uint8Array[] = [];
  const sink = { write: async (bytes: Uint8Array) => void parts.push(bytes) };
  await writeSafetensors(plan, sink, async function* ({ name, shape }) {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = Uint16Array.from({ length: count }, (_, i) => f32ToBf16(((i % 31) - 15) / 300));
    for (const [at, value] of Object.entries(weights[name] ?? {})) {
      values[Number(at)] = f32ToBf16(value);
    }
    yield new Uint8Array(values.buffer);
  });
  return Buffer.concat(parts);
}

/** The command line that quantizes a tiny model to `folder/out.gguf`. */
export async function quantizeTiny(folder: string, wrong: TinyModel): Promise<readonly string[]> {
  return quantizeTo(folder, await tinyModel(folder, wrong), ...(wrong.options ?? []));
}

/** The command line that quantizes a model to `folder/out.gguf`. */
export function quantizeTo(
  folder: string,
  model: string,
  ...options: readonly string[]
): readonly string[] {
  const output = join(folder, outputName);
  return ['quantize', model, '-t', 'Q8_0', '-o', output, '--no-verify', ...options];
}

/** The tokenizer.json of the model in the box with changes. */
export async function changedTokenizer(change: (json: SampleTokenizer) => void): Promise<string> {
  const json = JSON.parse(
    await readFile(join(sample, 'tokenizer.json'), 'utf8'),
  ) as SampleTokenizer;
  change(json);
  return JSON.stringify(json);
}

/** The parts of that tokenizer.json that tests change. */
interface SampleTokenizer {
  pre_tokenizer: unknown;
  model: { type: string; vocab: Record<string, number>; merges: unknown[] };
}
