import { meta, type MetadataValue } from '../../formats/gguf/metadata.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { parseDecoderConfig, type DecoderConfig } from './decoder-config.ts';
import { ignoredTensors, type Family, type SizeName, type TensorRule } from './family.ts';
import { ropeOf } from './rope.ts';
import { interleaveRotaryHalves, renamed } from './tensor-views.ts';

/** The part of a GGUF model that a family decides: hyper-parameters and tensors. */
export interface DecodedModel {
  readonly keys: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly notes: readonly string[];
}

/** Lists of names in messages end in a count after so many. */
const namesShown = 5;

/**
 * Turns a Hugging Face configuration and its tensors into GGUF keys and tensors, without reading a
 * weight.
 *
 * @throws {@link PithError} `not-found` for tensors that are missing, `unsupported` for tensors that
 *   the family does not know, `shape` when a tensor contradicts config.json; `corrupt` and
 *   `unsupported` as {@link parseDecoderConfig} and {@link ropeOf} do.
 * @see conversion/base.py and conversion/llama.py, llama.cpp v0.5.0.
 * @remarks Differs: hyper-parameters that llama.cpp would assume are written out, and a stored
 *   output matrix that config.json ties to the embedding is left out. Values and keys checked
 *   against convert_hf_to_gguf.py for every family: test/golden/families.json.
 */
export function decodeModel(
  family: Family,
  rawConfig: unknown,
  stored: ReadonlyMap<string, Tensor>,
): DecodedModel {
  const config = assumeTiedHead(parseDecoderConfig(rawConfig), stored);
  const rules = expandRules(family, config.fields);
  const taken = new Set(rules.map(({ from }) => from));
  const leftOver = [...stored.keys()].filter((name) => !taken.has(name));
  const ignored = leftOver.filter((name) => isIgnored(name, config.fields));
  refuseUnknown(
    family,
    leftOver.filter((name) => !ignored.includes(name)),
  );
  const missing = rules.filter(({ from }) => !stored.has(from)).map(({ from }) => from);
  refuseMissing(missing);
  const rope = ropeOf(family, config.fields);
  const tensors = rules.map((rule) => viewOf(rule, stored.get(rule.from)!, config.fields));
  return {
    keys: hyperParameters(family, config.fields, rope.keys),
    tensors: new Map([...rope.tensors, ...tensors].map((tensor) => [tensor.name, tensor])),
    notes: [
      ...config.notes,
      ...rope.notes,
      ...(family.notes?.(config.fields) ?? []),
      ...(ignored.length > 0 ? [`Left out: ${listNames(ignored)}.`] : []),
    ],
  };
}

/** A configuration that does not mention tying, without an output matrix, means a tied model. */
function assumeTiedHead(config: DecoderConfig, stored: ReadonlyMap<string, Tensor>) {
  const unsaid = (config.tie_word_embeddings ?? undefined) === undefined;
  if (!unsaid || stored.has('lm_head.weight')) return { fields: config, notes: [] };
  return {
    fields: { ...config, tie_word_embeddings: true },
    notes: ['There is no lm_head.weight: the embedding serves as the output matrix.'],
  };
}

/** Rules with layer numbers filled in: outside tensors first, then layer by layer. */
function expandRules(family: Family, config: DecoderConfig): TensorRule[] {
  const rules = family.tensors.filter(({ when }) => when?.(config) ?? true);
  const perLayer = rules.filter(({ from }) => from.includes('{layer}'));
  const expanded = rules.filter((rule) => !perLayer.includes(rule));
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const fill = (name: string) => name.replace('{layer}', String(layer));
    for (const rule of perLayer) {
      expanded.push({ ...rule, from: fill(rule.from), to: fill(rule.to) });
    }
  }
  return expanded;
}

function isIgnored(name: string, config: DecoderConfig): boolean {
  const tiedHead = name === 'lm_head.weight' && config.tie_word_embeddings === true;
  return tiedHead || ignoredTensors.some((pattern) => pattern.test(name));
}

function viewOf(rule: TensorRule, tensor: Tensor, config: DecoderConfig): Tensor {
  const expected = rule.shape.map((size) => sizeOf(size, config));
  const agrees =
    tensor.shape.length === expected.length &&
    expected.every((size, at) => size === tensor.shape[at]);
  if (!agrees) {
    throw new PithError(
      'shape',
      `${rule.from} has shape [${tensor.shape.join(', ')}], but config.json makes it ` +
        `[${expected.join(', ')}] (${rule.shape.join(' × ')}).`,
      'Get the config.json and the weights from the same version of the model.',
    );
  }
  const view = renamed(tensor, rule.to);
  return rule.rows === 'rotaryHalves' ? interleaveRotaryHalves(view, config.headWidth) : view;
}

function sizeOf(size: SizeName, config: DecoderConfig): number {
  const sizes: Record<SizeName, number> = {
    C: config.hidden_size,
    D: config.headWidth,
    'H*D': config.num_attention_heads * config.headWidth,
    'K*D': config.kvHeads * config.headWidth,
    F: config.intermediate_size,
    V: config.vocab_size,
  };
  return sizes[size];
}

function hyperParameters(
  { architecture }: Family,
  config: DecoderConfig,
  ropeKeys: readonly (readonly [string, MetadataValue])[],
): Map<string, MetadataValue> {
  const keys: readonly (readonly [string, MetadataValue])[] = [
    ['block_count', meta.uint32(config.num_hidden_layers)],
    ['context_length', meta.uint32(config.max_position_embeddings)],
    ['embedding_length', meta.uint32(config.hidden_size)],
    ['feed_forward_length', meta.uint32(config.intermediate_size)],
    ['attention.head_count', meta.uint32(config.num_attention_heads)],
    ['attention.head_count_kv', meta.uint32(config.kvHeads)],
    ['attention.layer_norm_rms_epsilon', meta.float32(config.rms_norm_eps)],
    ['attention.key_length', meta.uint32(config.headWidth)],
    ['attention.value_length', meta.uint32(config.headWidth)],
    ['vocab_size', meta.uint32(config.vocab_size)],
    ...ropeKeys,
  ];
  return new Map(keys.map(([key, value]) => [`${architecture}.${key}`, value]));
}

function refuseUnknown(family: Family, names: readonly string[]): void {
  if (names.length === 0) return;
  throw new PithError(
    'unsupported',
    `${names.length} tensors are unknown to ${family.modelType} models: ${listNames(names)}.`,
    'The model may be a variant of the family that Pith does not know; leaving them out would change it.',
  );
}

function refuseMissing(names: readonly string[]): void {
  if (names.length === 0) return;
  throw new PithError(
    'not-found',
    `${names.length} tensors are missing: ${listNames(names)}.`,
    'Check that every file of the checkpoint is there and that config.json belongs to it.',
  );
}

function listNames(names: readonly string[]): string {
  const more = names.length - namesShown;
  return names.slice(0, namesShown).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
