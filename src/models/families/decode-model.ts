import type { MetadataValue } from '../../formats/gguf/metadata.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import type { Family } from './family.ts';
import { hyperParameters } from './hyper-parameter-keys.ts';
import type { ModelConfig } from './model-config.ts';
import { parseModelConfig } from './parse-config.ts';
import { ropeKeys } from './rope.ts';
import { sizesOf } from './sizes.ts';
import { planTensors, viewOf, type PlannedTensor } from './tensor-rules.ts';

/** The part of a GGUF model that a family decides: hyper-parameters and tensors. */
export interface DecodedModel {
  readonly keys: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly notes: readonly string[];
}

/** Lists of names in messages end in a count after so many. */
const namesShown = 5;

/** Tensors that any checkpoint may carry and no engine needs: they follow from the configuration. */
const computed = /\.rotary_emb\.inv_freq$|(^|\.)embeddings\.position_ids$/;

/**
 * Turns a Hugging Face configuration and its tensors into GGUF keys and tensors, without reading a
 * weight.
 *
 * @throws {@link PithError} `not-found` for tensors that are missing, `unsupported` for tensors that
 *   the family does not know, `shape` when a tensor contradicts config.json; `corrupt` and
 *   `unsupported` as {@link parseModelConfig} and {@link ropeKeys} do.
 * @see conversion/base.py and the file of each family, llama.cpp v0.5.0.
 * @remarks Differs: hyper-parameters that llama.cpp would assume are written out (also a rotary base
 *   other than 10000 of phi, gemma and stablelm, which that converter loses), and a stored output
 *   matrix that config.json ties to the embedding is left out. Values and keys checked
 *   against convert_hf_to_gguf.py for every family: test/golden/families.json.
 */
export function decodeModel(
  family: Family,
  rawConfig: unknown,
  checkpoint: ReadonlyMap<string, Tensor>,
): DecodedModel {
  const stored = inFamilysNames(family, checkpoint);
  const config = assumeTiedHead(family, parseModelConfig(family, rawConfig), stored);
  const planned = planTensors(family, config.fields);
  const ignored = checkNames(family, config.fields, planned, stored);
  const rope = ropeKeys(family, config.fields);
  const sizes = sizesOf(family, config.fields);
  const tensors = planned.map((tensor) => viewOf(tensor, stored, sizes, config.fields));
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

function inFamilysNames(
  family: Family,
  checkpoint: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Tensor> {
  return new Map(
    [...checkpoint].map(([name, tensor]) => [family.storedName?.(name) ?? name, tensor]),
  );
}

/** A configuration that does not mention tying, without an output matrix, means a tied model. */
function assumeTiedHead(
  family: Family,
  config: ModelConfig,
  stored: ReadonlyMap<string, Tensor>,
): { readonly fields: ModelConfig; readonly notes: readonly string[] } {
  const hasHead = family.tensors.some(({ to }) => to === 'output.weight');
  const unsaid = (config.tie_word_embeddings ?? undefined) === undefined;
  if (!hasHead || !unsaid || stored.has('lm_head.weight')) return { fields: config, notes: [] };
  return {
    fields: { ...config, tie_word_embeddings: true },
    notes: ['There is no lm_head.weight: the embedding serves as the output matrix.'],
  };
}

/** The stored tensors that are left out, when every other one is known and none is missing. */
function checkNames(
  family: Family,
  config: ModelConfig,
  planned: readonly PlannedTensor[],
  stored: ReadonlyMap<string, Tensor>,
): readonly string[] {
  const wanted = new Set(planned.flatMap(({ from }) => from));
  const leftOver = [...stored.keys()].filter((name) => !wanted.has(name));
  const isIgnored = (name: string) =>
    (name === 'lm_head.weight' && config.tie_word_embeddings === true) ||
    computed.test(name) ||
    family.ignored?.test(name) === true;
  refuseUnknown(
    family,
    leftOver.filter((name) => !isIgnored(name)),
  );
  refuseMissing([...wanted].filter((name) => !stored.has(name)));
  return leftOver;
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
