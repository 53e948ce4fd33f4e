import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rotation, type Rotation } from './reference-rope.ts';

type Config = Record<string, unknown>;

/** Greedy tokens, and the logits `[V]` that chose each. */
export interface Continuation {
  readonly tokens: number[];
  readonly logits: readonly Float64Array[];
}

/**
 * A forward pass that shares no code with Pith: reads a Hugging Face folder (single BF16 or F32
 * safetensors file) and runs Llama, Mistral, Qwen2 or Qwen3 in plain f64 loops, one token at a time.
 *
 * @see Touvron et al. 2023, arXiv:2302.13971; rotary halves as in transformers' `rotate_half`.
 */
export class ReferenceDecoder {
  readonly #config: Config;
  readonly #weights: Map<string, { shape: number[]; data: Float32Array }>;
  readonly #rotation: Rotation;
  #keys: Float64Array[][] = [];
  #values: Float64Array[][] = [];
  #position = 0;

  /** `changes` replace fields of config.json. */
  constructor(folder: string, changes: Config = {}) {
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Config;
    this.#config = { ...config, ...changes };
    this.#weights = readWeights(join(folder, 'model.safetensors'));
    this.#rotation = rotation(
      this.#number('head_dim'),
      this.#number('rope_theta'),
      (this.#config['rope_scaling'] ?? null) as Parameters<typeof rotation>[2],
    );
  }

  /** The `count` greedy tokens that follow `prompt`. */
  greedy(prompt: readonly number[], count: number): Continuation {
    this.#position = 0;
    this.#keys = Array.from({ length: this.#number('num_hidden_layers') }, () => []);
    this.#values = this.#keys.map(() => []);
    const tokens: number[] = [];
    const logits: Float64Array[] = [];
    let next: Float64Array = new Float64Array();
    for (const token of prompt) next = this.#step(token);
    while (tokens.length < count) {
      if (tokens.length > 0) next = this.#step(tokens.at(-1)!);
      tokens.push(next.indexOf(Math.max(...next)));
      logits.push(next);
    }
    return { tokens, logits };
  }

  /** One token in, logits `[V]` of the next one out. */
  #step(token: number): Float64Array {
    const embedding = this.#weight('model.embed_tokens.weight');
    const width = this.#number('hidden_size');
    let x: Float64Array = Float64Array.from(
      embedding.data.subarray(token * width, (token + 1) * width),
    );
    for (let layer = 0; layer < this.#keys.length; layer++) {
      const prefix = `model.layers.${layer}.`;
      x = add(x, this.#attention(layer, this.#norm(x, `${prefix}input_layernorm.weight`)));
      x = add(
        x,
        this.#feedForward(prefix, this.#norm(x, `${prefix}post_attention_layernorm.weight`)),
      );
    }
    this.#position++;
    const head = this.#weights.has('lm_head.weight') ? 'lm_head' : 'model.embed_tokens';
    return this.#linear(this.#norm(x, 'model.norm.weight'), head);
  }

  #attention(layer: number, x: Float64Array): Float64Array {
    const prefix = `model.layers.${layer}.self_attn.`;
    const heads = this.#number('num_attention_heads');
    const kvHeads = this.#number('num_key_value_heads');
    const query = this.#heads(this.#linear(x, `${prefix}q_proj`), heads, `${prefix}q_norm.weight`);
    const key = this.#heads(this.#linear(x, `${prefix}k_proj`), kvHeads, `${prefix}k_norm.weight`);
    this.#keys[layer]!.push(concat(key.map((head) => this.#rotate(head))));
    this.#values[layer]!.push(this.#linear(x, `${prefix}v_proj`));
    const out = query.map((head, h) =>
      this.#attend(layer, this.#rotate(head), Math.floor((h * kvHeads) / heads)),
    );
    return this.#linear(concat(out), `${prefix}o_proj`);
  }

  /** One query head `[D]` over every cached position of its kv head. */
  #attend(layer: number, query: Float64Array, kvHead: number): Float64Array {
    const width = query.length;
    const from = kvHead * width;
    const scores = this.#keys[layer]!.map((key) => {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += query[i]! * key[from + i]!;
      return sum / Math.sqrt(width);
    });
    const top = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - top));
    const total = powers.reduce((a, b) => a + b, 0);
    const out = new Float64Array(width);
    for (const [position, power] of powers.entries()) {
      const value = this.#values[layer]![position]!;
      for (let i = 0; i < width; i++) out[i]! += (power / total) * value[from + i]!;
    }
    return out;
  }

  #feedForward(prefix: string, x: Float64Array): Float64Array {
    const gate = this.#linear(x, `${prefix}mlp.gate_proj`);
    const up = this.#linear(x, `${prefix}mlp.up_proj`);
    const inner = gate.map((value, i) => (value / (1 + Math.exp(-value))) * up[i]!);
    return this.#linear(inner, `${prefix}mlp.down_proj`);
  }

  /** Splits into heads, with Qwen3's per-head norm where the checkpoint has one. */
  #heads(x: Float64Array, count: number, norm: string): Float64Array[] {
    const width = x.length / count;
    const heads = Array.from({ length: count }, (_, h) => x.slice(h * width, (h + 1) * width));
    return this.#weights.has(norm) ? heads.map((head) => this.#norm(head, norm)) : heads;
  }

  #rotate(head: Float64Array): Float64Array {
    const half = head.length / 2;
    const { frequencies, magnitude } = this.#rotation;
    const out = new Float64Array(head.length);
    for (let i = 0; i < half; i++) {
      const angle = this.#position * frequencies[i]!;
      const [cos, sin] = [magnitude * Math.cos(angle), magnitude * Math.sin(angle)];
      const [a, b] = [head[i]!, head[i + half]!];
      out[i] = a * cos - b * sin;
      out[i + half] = b * cos + a * sin;
    }
    return out;
  }

  #norm(x: Float64Array, name: string): Float64Array {
    const meanSquare = x.reduce((sum, value) => sum + value * value, 0) / x.length;
    const scale = 1 / Math.sqrt(meanSquare + this.#number('rms_norm_eps'));
    const { data } = this.#weight(name);
    return x.map((value, i) => value * scale * data[i]!);
  }

  #linear(x: Float64Array, name: string): Float64Array {
    const { shape, data } = this.#weight(`${name}.weight`);
    const bias = this.#weights.get(`${name}.bias`)?.data;
    const [rows, columns] = [shape[0]!, shape[1]!];
    const out = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      let sum = bias?.[row] ?? 0;
      for (let i = 0, at = row * columns; i < columns; i++, at++) sum += x[i]! * data[at]!;
      out[row] = sum;
    }
    return out;
  }

  #number(key: string): number {
    const value = this.#config[key];
    if (typeof value !== 'number') throw new Error(`config.json has no number ${key}`);
    return value;
  }

  #weight(name: string): { shape: number[]; data: Float32Array } {
    const found = this.#weights.get(name);
    if (!found) throw new Error(`no tensor ${name}`);
    return found;
  }
}

function readWeights(path: string): Map<string, { shape: number[]; data: Float32Array }> {
  const file = readFileSync(path);
  const headerBytes = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const weights = new Map<string, { shape: number[]; data: Float32Array }>();
  for (const [name, info] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [from, to] = info.data_offsets.map((offset) => 8 + headerBytes + offset) as [
      number,
      number,
    ];
    const bytes = file.buffer.slice(file.byteOffset + from, file.byteOffset + to);
    weights.set(name, { shape: info.shape, data: widen(bytes, info.dtype) });
  }
  return weights;
}

function widen(bytes: ArrayBuffer, dtype: string): Float32Array {
  if (dtype === 'F32') return new Float32Array(bytes);
  if (dtype !== 'BF16') throw new Error(`the reference reads BF16 and F32, not ${dtype}`);
  return new Float32Array(Uint32Array.from(new Uint16Array(bytes), (half) => half << 16).buffer);
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]!);
}

function concat(parts: readonly Float64Array[]): Float64Array {
  return Float64Array.from(parts.flatMap((part) => [...part]));
}
