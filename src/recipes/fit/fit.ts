import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { fileTypeNames, parseFileType, type FileType } from '../../compress/quantize/file-types.ts';
import { planQuantization } from '../../compress/quantize/plan.ts';
import type { Figure } from '../../evaluate/figure.ts';
import { isEncoder } from '../../models/architectures.ts';
import { decodeTraffic, type DecodeTraffic } from '../../models/decode-traffic.ts';
import { estimateMemory } from '../../models/memory-estimate.ts';
import type { Model } from '../../models/model.ts';
import { openModel } from '../../models/open.ts';
import { summarize, type ModelSummary } from '../../models/summary.ts';
import { measureBandwidth, type Bandwidth } from '../../runtime/bandwidth.ts';
import { describeHardware } from '../../runtime/hardware.ts';
import { blockTypes } from '../../tensor/block-types.ts';
import { averageBits } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { shellWord } from '../../util/shell-word.ts';
import { recommend, type FitRow, type Recommendation } from './recommend.ts';

/** What to fit a model to. */
export interface FitOptions {
  /** Bytes that the model may take. Default: 80 % of this machine's memory, or its container's. */
  readonly memoryBytes?: number | undefined;
  /** Context lengths in tokens; the first decides. Default: 4096 and 32768, as far as trained. */
  readonly contextLengths?: readonly number[] | undefined;
  /** Every type for ordinary weights; default the eight that suit most models. */
  readonly allTypes?: boolean;
  /** Speed that the recommended type should reach; default 10. */
  readonly wantedTokensPerSecond?: number;
  readonly signal?: AbortSignal;
}

/** Which types of a model fit, how large they are, and how fast they may be. */
export interface FitReport {
  readonly model: string;
  readonly architecture: string;
  readonly parameters: number;
  readonly trainedContextLength: number | undefined;
  readonly contextLengths: readonly number[];
  readonly memory: { readonly bytes: number; readonly source: string };
  readonly bandwidth: Bandwidth;
  /** How the tokens per second are predicted. */
  readonly prediction: string;
  readonly types: readonly FitRow[];
  readonly recommended: Recommendation | undefined;
  readonly notes: readonly string[];
}

/** Q8_0 is as good as the original, Q2_K the least that still speaks; one of each size between. */
const usualTypes: readonly FileType[] = [
  'F16',
  'Q8_0',
  'Q6_K',
  'Q5_K_M',
  'Q4_K_M',
  'IQ4_XS',
  'Q3_K_M',
  'Q2_K',
];
/** For weights that were trained for them: on others they lose too much to be recommended. */
const specialTypes: ReadonlySet<FileType> = new Set([
  'MXFP4_MOE',
  'Q2_0',
  'TQ2_0',
  'TQ1_0',
  'Q1_0',
]);
const allUsable = fileTypeNames.filter((name) => !specialTypes.has(name));
const defaultContexts = [4096, 32_768];
const defaultWantedTokensPerSecond = 10;
const shareForModels = 0.8;
/** Part of the ceiling that decoding usually reaches, least and most: a rule of thumb. */
const reachedShare: Figure = { value: 0.7, low: 0.5, high: 0.9 };

/**
 * Tables type by exact file size, memory at context lengths and predicted speed, from the header
 * alone, and recommends one.
 *
 * Speed is the ceiling of `decodeTraffic` by this machine's measured bandwidth, times the share of it
 * that decoding usually reaches: `pith bench` measures.
 *
 * @throws {@link PithError} what `openModel` throws; `usage` for a context longer than trained; `cancelled`.
 */
export async function fit(reference: string, options: FitOptions = {}): Promise<FitReport> {
  const model = await openModel(reference);
  try {
    const summary = summarize(model);
    const contextLengths = contextsFor(summary.contextLength, options.contextLengths);
    const memory = await memoryFor(options.memoryBytes);
    const bandwidth = await measureBandwidth(options.signal);
    const sizes = await sizesOf(reference, model, options.allTypes ?? false);
    const types = sizes.map((size) => rowOf(model, size, { contextLengths, memory, bandwidth }));
    const { wantedTokensPerSecond = defaultWantedTokensPerSecond } = options;
    const { value, low, high } = reachedShare;
    return {
      model: reference,
      architecture: summary.architecture,
      parameters: summary.parameters,
      trainedContextLength: summary.contextLength,
      contextLengths,
      memory,
      bandwidth,
      prediction:
        `${100 * value} % (${100 * low}-${100 * high} %) of what reading weights and cache once a ` +
        'token allows on the CPU',
      types,
      recommended: recommend(types, wantedTokensPerSecond),
      notes: notesOf(model, summary),
    };
  } finally {
    await model.close();
  }
}

function contextsFor(trained = Infinity, wanted?: readonly number[]): number[] {
  const tooLong = wanted?.find((length) => length > trained);
  if (tooLong !== undefined) {
    throw new PithError(
      'usage',
      `A context of ${tooLong} tokens is longer than the ${trained} the model was trained on.`,
      `Use --context ${trained} or less.`,
    );
  }
  return [...new Set(wanted ?? defaultContexts.map((length) => Math.min(length, trained)))];
}

async function memoryFor(wanted: number | undefined): Promise<FitReport['memory']> {
  if (wanted !== undefined) return { bytes: wanted, source: 'as given' };
  const { memoryBytes, memoryLimitBytes } = await describeHardware();
  const bytes = Math.floor(shareForModels * (memoryLimitBytes ?? memoryBytes));
  const whose = memoryLimitBytes === undefined ? 'this machine' : 'this container';
  return { bytes, source: `${100 * shareForModels} % of the memory of ${whose}` };
}

interface Size {
  readonly type: string;
  readonly bytes: number;
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly bytes: number;
  }[];
  readonly command: string | undefined;
}

/** The GGUF file itself, and what it or the folder can become that is no larger. */
async function sizesOf(reference: string, model: Model, allTypes: boolean): Promise<Size[]> {
  const isGguf = reference.toLowerCase().endsWith('.gguf');
  const own = isGguf ? await ownSize(model) : undefined;
  const planned = (allTypes ? allUsable : usualTypes).map((name): Size => {
    const { layout, tensors } = planQuantization(model, { type: parseFileType(name, false) });
    const stem = basename(resolve(reference)).replace(/\.gguf$/i, '');
    const output = shellWord(`${stem}-${name.toLowerCase()}.gguf`);
    const command = `pith quantize ${shellWord(reference)} --type ${name} -o ${output}`;
    return { type: name, bytes: layout.totalBytes, tensors, command };
  });
  const smaller = own ? planned.filter(({ bytes }) => bytes < own.bytes) : planned;
  return [...(own ? [own] : []), ...smaller].toSorted((a, b) => b.bytes - a.bytes);
}

async function ownSize(model: Model): Promise<Size> {
  const files = await Promise.all(model.files.map((file) => stat(file)));
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return { type: 'as it is', bytes, tensors: summarize(model).tensors, command: undefined };
}

function rowOf(
  model: Model,
  { type, bytes, tensors, command }: Size,
  given: Pick<FitReport, 'contextLengths' | 'memory' | 'bandwidth'>,
): FitRow {
  const { contextLengths, memory, bandwidth } = given;
  const weightsBytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  return {
    type,
    bytes,
    bitsPerWeight: averageBits(tensors),
    memory: contextLengths.map((contextLength) => {
      const estimate = estimateMemory(model, contextLength);
      if (!estimate) return { contextLength, totalBytes: undefined, fits: undefined };
      const totalBytes = estimate.totalBytes - estimate.weightsBytes + weightsBytes;
      return { contextLength, totalBytes, fits: totalBytes <= memory.bytes };
    }),
    predictedTokensPerSecond: isEncoder(model)
      ? undefined
      : predictSpeed(bandwidth, decodeTraffic(model, tensors, contextLengths[0]!)),
    command,
  };
}

function predictSpeed({ bytesPerSecond }: Bandwidth, { totalBytes }: DecodeTraffic): Figure {
  const ceiling = bytesPerSecond / totalBytes;
  const { value, low, high } = reachedShare;
  return { value: ceiling * value, low: ceiling * low, high: ceiling * high };
}

function notesOf(model: Model, { contextLength, tensors }: ModelSummary): string[] {
  const isQuantized = tensors.some(
    ({ type }) => type in blockTypes && blockTypes[type as keyof typeof blockTypes].weights > 1,
  );
  return [
    ...model.notes,
    ...(isQuantized
      ? ['The file is quantized already: quantizing it again loses more than its original would.']
      : []),
    ...(contextLength === undefined ? ['The file does not state a context length.'] : []),
  ];
}
