import { z } from 'zod';
import { meta, type MetadataValue } from '../formats/gguf/metadata.ts';
import { quantizationVersion } from '../tensor/block-types.ts';
import type { TensorType } from '../tensor/dtypes.ts';
import { weightsOf, type Tensor } from '../tensor/tensor.ts';
import { stackedExperts } from './expert-stacks.ts';

/** What a model's folder says about the model besides its weights. */
export interface ModelCard {
  readonly folderName: string;
  /** Text of README.md, with or without front matter. */
  readonly readme?: string | undefined;
  /** Parsed generation_config.json. */
  readonly generationConfig?: unknown;
}

const number = z.number().nullish().catch(undefined);
const generationSchema = z
  .object({ top_k: number, top_p: number, min_p: number, temperature: number })
  .extend({ repetition_penalty: number })
  .catch({});

/** `general.file_type` of unquantized models, by the type of their matrices. */
const fileTypeOfMatrices: Partial<Record<TensorType, number>> = { F32: 0, F16: 1, BF16: 32 };

/**
 * The `general.*` keys of a model that comes from a Hugging Face folder.
 *
 * @param hubName - `_name_or_path` of config.json; counts only when it has the form owner/name.
 * @see gguf-py/gguf/metadata.py and conversion/base.py, llama.cpp v0.5.0.
 * @remarks Differs: base name, version, fine-tune and organization are not guessed from the folder's
 *   name, the size label is always computed, and tags, languages and data sets are left out.
 */
export function generalKeys(
  architecture: string,
  hubName: string | undefined,
  card: ModelCard,
  tensors: Iterable<Tensor>,
): Map<string, MetadataValue> {
  const all = [...tensors];
  const matrixType = all.find(({ shape }) => shape.length > 1)?.type;
  return new Map<string, MetadataValue>([
    ['general.architecture', meta.string(architecture)],
    ['general.type', meta.string('model')],
    ...samplingKeys(card.generationConfig),
    ['general.name', meta.string(modelName(hubName ?? '', card.folderName))],
    ['general.size_label', meta.string(sizeLabel(all))],
    ...licenseKeys(card.readme ?? ''),
    ['general.file_type', meta.uint32(fileTypeOfMatrices[matrixType ?? 'F16'] ?? 1)],
    ['general.quantization_version', meta.uint32(quantizationVersion)],
  ]);
}

function samplingKeys(generationConfig: unknown): [string, MetadataValue][] {
  const config = generationSchema.parse(generationConfig ?? {});
  const entries: [string, MetadataValue | undefined][] = [
    ['top_k', typeof config.top_k === 'number' ? meta.int32(config.top_k) : undefined],
    ['top_p', float32(config.top_p)],
    ['min_p', float32(config.min_p)],
    ['temp', float32(config.temperature)],
    ['penalty_repeat', float32(config.repetition_penalty)],
  ];
  return entries.flatMap(([key, value]) => (value ? [[`general.sampling.${key}`, value]] : []));
}

function float32(value: number | null | undefined): MetadataValue | undefined {
  return typeof value === 'number' ? meta.float32(value) : undefined;
}

/** The last part of the hub's name where config.json tells it, else the folder's name, as a title. */
function modelName(hubName: string, folderName: string): string {
  const isHubName = hubName !== '' && hubName.split('/').length <= 2;
  const name = isHubName ? hubName.split('/').at(-1)! : folderName;
  const words = name.trim().replaceAll('-', ' ').split(/\s+/);
  return words.map(titleCase).join(' ');
}

/** Upper-cases the first letter of each run of letters, in words without capitals or version form. */
function titleCase(word: string): string {
  const isLower = word === word.toLowerCase() && word !== word.toUpperCase();
  if (!isLower || /^(v\d+(\.\d+)*|\d.*)$/.test(word)) return word;
  return word.replace(/\p{L}+/gu, (run) => run[0]!.toUpperCase() + run.slice(1));
}

/** The size of a model, 135M; of one with experts, their number and its size with one: 8x7.2B. */
function sizeLabel(tensors: readonly Tensor[]): string {
  const stacks = tensors.map((tensor) => stackedExperts(tensor) ?? 0).filter((count) => count > 0);
  const experts = stacks.reduce((total, count) => total + count, 0) / (stacks.length || 1);
  const weights = tensors.reduce(
    (total, tensor) => total + weightsOf(tensor.shape) / (stackedExperts(tensor) ?? 1),
    0,
  );
  return (experts > 0 ? `${Math.floor(experts)}x` : '') + roundedCount(weights);
}

/** A count of parameters with two significant digits at least: 7.3M, 135M, 1.2B. */
function roundedCount(weights: number): string {
  const units = [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
  ] as const;
  const [unit, suffix] = units.find(([size]) => weights > size) ?? units[3];
  const scaled = weights / unit;
  const wholeDigits = String(Math.round(scaled)).replace(/^0+/, '').length;
  return scaled.toFixed(Math.max(2 - wholeDigits, 0)) + suffix;
}

/** Licence fields of the front matter of a model card: `key: value` lines between `---` lines. */
function licenseKeys(readme: string): [string, MetadataValue][] {
  const lines = readme.split(/\r?\n/);
  const end = lines.indexOf('---', 1);
  if (lines[0] !== '---' || end < 0) return [];
  return ['license', 'license_name', 'license_link'].flatMap((key) => {
    const line = lines.slice(1, end).find((candidate) => candidate.startsWith(`${key}:`));
    const value = line
      ?.slice(key.length + 1)
      .trim()
      .replace(/^(['"])(.*)\1$/, '$2');
    return value ? [[`general.${key.replace('_', '.')}`, meta.string(value)]] : [];
  });
}
