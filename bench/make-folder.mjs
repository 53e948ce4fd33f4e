/** Lays the weights of a generated GGUF out as a Hugging Face folder with one safetensors file. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { planSafetensors } from '../dist/formats/safetensors/write.js';
import { openModel } from '../dist/models/open.js';
import { rowsOf } from '../dist/tensor/tensor.js';

const parts = {
  attn_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};
const whole = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output.weight': 'lm_head.weight',
  'output_norm.weight': 'model.norm.weight',
};

function huggingFaceName(name) {
  const [, layer, part] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
  return whole[name] ?? `model.layers.${layer}.${parts[part]}.weight`;
}

function configOf({ metadata }) {
  const of = (key) => metadata.get(`llama.${key}`).value;
  return {
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    hidden_size: of('embedding_length'),
    intermediate_size: of('feed_forward_length'),
    num_hidden_layers: of('block_count'),
    num_attention_heads: of('attention.head_count'),
    num_key_value_heads: of('attention.head_count_kv'),
    max_position_embeddings: of('context_length'),
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    vocab_size: of('vocab_size'),
    torch_dtype: 'float16',
  };
}

function tokenizerOf({ metadata }) {
  const tokens = metadata.get('tokenizer.ggml.tokens').value;
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  return {
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: bytes,
    decoder: bytes,
    model: { type: 'BPE', unk_token: null, vocab, merges: [] },
  };
}

/**
 * The folder beside the GGUF file; made if it is not there yet.
 *
 * @param {string} gguf - Path of a model of bench/make-model.mjs.
 */
export async function makeFolder(gguf) {
  const folder = gguf.replace(/\.gguf$/, '-folder');
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  mkdirSync(partial, { recursive: true });
  const model = await openModel(gguf);
  const tensors = new Map([...model.tensors].map(([name, each]) => [huggingFaceName(name), each]));
  const infos = [...tensors].map(([name, { shape, type }]) => ({ name, shape, type }));
  const plan = planSafetensors(infos);
  const file = await open(join(partial, 'model.safetensors'), 'w');
  await file.write(plan.header, 0, plan.header.length, 0);
  for (const { name, offset } of plan.tensors) {
    const tensor = tensors.get(name);
    const bytes = await tensor.read(0, rowsOf(tensor.shape));
    await file.write(bytes, 0, bytes.length, offset);
  }
  await file.close();
  writeFileSync(join(partial, 'config.json'), JSON.stringify(configOf(model)));
  writeFileSync(join(partial, 'tokenizer.json'), JSON.stringify(tokenizerOf(model)));
  await model.close();
  renameSync(partial, folder);
  return folder;
}
