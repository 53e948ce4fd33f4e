/** What a tensor does in a model, as far as the choice of its block type cares. */
export type Role =
  | 'head'
  | 'embedding'
  | 'query'
  | 'key'
  | 'value'
  | 'attentionOutput'
  | 'up'
  | 'gate'
  | 'down'
  | 'other';

/**
 * Parts of GGUF names and the role they tell; the first that a name contains counts. Fused QKV and
 * multi-head-latent KV matrices count as value matrices, the part most sensitive to rounding.
 */
const roleOfPart: readonly (readonly [part: string, role: Role])[] = [
  ['attn_qkv.weight', 'value'],
  ['attn_kv_b.weight', 'value'],
  ['attn_v.weight', 'value'],
  ['attn_k.weight', 'key'],
  ['attn_q.weight', 'query'],
  ['attn_output.weight', 'attentionOutput'],
  ['ffn_up', 'up'],
  ['ffn_gate', 'gate'],
  ['ffn_down', 'down'],
];

const roleOfName: Readonly<Record<string, Role>> = {
  'output.weight': 'head',
  'token_embd.weight': 'embedding',
  'per_layer_token_embd.weight': 'embedding',
};

/** The role of the tensor with this GGUF name. */
export function roleOf(name: string): Role {
  const named = Object.hasOwn(roleOfName, name) ? roleOfName[name] : undefined;
  return named ?? roleOfPart.find(([part]) => name.includes(part))?.[1] ?? 'other';
}

/** The layer in `blk.<layer>.`, or undefined for a tensor outside the layers. */
export function layerOf(name: string): number | undefined {
  const match = /^blk\.(\d+)\./.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** Matrices that are small or sensitive, so that every mix keeps them: names that contain a part. */
const keptParts: readonly string[] = [
  '_norm.weight',
  // Expert routers.
  'ffn_gate_inp.weight',
  'ffn_gate_tid2eid.weight',
  // Gemma 3n.
  'altup',
  'laurel',
  'per_layer_model_proj',
  // Short convolutions of state-space layers.
  'ssm_conv1d',
  'shortconv.conv.weight',
  // Sparse-attention indexers.
  'indexer.k_proj.weight',
  'indexer.q_proj.weight',
  // RWKV's low-rank mixers.
  ...['first', 'w0', 'w1', 'w2', 'v0', 'v1', 'v2', 'a0', 'a1', 'a2', 'g1', 'g2'].map(
    (part) => `time_mix_${part}.weight`,
  ),
  'time_mix_decay_w1.weight',
  'time_mix_decay_w2.weight',
  'time_mix_lerp_fused.weight',
  // Positions, patches and code books of encoders.
  'attn_rel_b.weight',
  '.position_embd',
  'sam.pos_embd',
  'sam.neck.',
  'sam.net_',
  '.rel_pos',
  '.patch_embd',
  '.patch_merger',
  'a.rvq.codebook',
  'mm.a.code_embd',
];

const keptNames: readonly string[] = ['position_embd.weight', 'token_types.weight'];

/**
 * Whether a mix may change how a tensor is stored: matrices called `*.weight` (stacks of expert
 * matrices included) other than the small sensitive ones.
 *
 * @see tensor_allows_quantization in src/llama-quant.cpp, llama.cpp v0.5.0.
 */
export function isQuantizable(name: string, shape: readonly number[]): boolean {
  const isMatrix = shape.slice(0, -1).some((size) => size > 1);
  if (!isMatrix || !name.endsWith('weight') || keptNames.includes(name)) return false;
  return !keptParts.some((part) => name.includes(part));
}
