import { estimatedPower, footprintOfMillion, type Footprint } from '../../evaluate/footprint.ts';
import type { EnergyFactors } from '../../evaluate/energy-factors.ts';
import type { Figure } from '../../evaluate/figure.ts';
import { medianFigure } from '../../evaluate/median.ts';
import { decodeTraffic } from '../../models/decode-traffic.ts';
import type { Model } from '../../models/model.ts';
import { openModel } from '../../models/open.ts';
import { summarize } from '../../models/summary.ts';
import { measureBandwidth, type Bandwidth } from '../../runtime/bandwidth.ts';
import { openEnergyMeter } from '../../runtime/energy-meter.ts';
import { openLlama, type LlamaOptions } from '../../runtime/llama.ts';
import { peakMemoryBytes } from '../../runtime/memory.ts';
import type { OnProgress } from '../../util/progress.ts';
import { loadFactors } from './factors-file.ts';
import { promptLengthsFor, spareTokens } from './prompt-lengths.ts';
import { timeRuns, type TimedRun, type TimingOptions } from './timed-runs.ts';

/** What to time, and how often. */
export interface BenchOptions {
  /** Prompt lengths in tokens. Default: 128, 512, 2048, as far as the context allows. */
  readonly promptLengths?: readonly number[] | undefined;
  /** Decoding steps after each prompt; default 64. */
  readonly decodeTokens?: number;
  /** Default 6, the fewest whose median has a 95 % interval. */
  readonly repeats?: number;
  readonly threads?: number | undefined;
  readonly gpu?: LlamaOptions['gpu'];
  /** YAML or JSON with numbers that replace those of factors/energy.json. */
  readonly factorsFile?: string | undefined;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** Speed of reading prompts of one length. */
export interface PrefillRow {
  readonly tokens: number;
  readonly tokensPerSecond: Figure;
  readonly timeToFirstTokenMs: Figure;
  readonly joulesPerToken: Figure;
}

/** Speed of decoding after prompts of one length. */
export interface DecodeRow {
  /** Tokens before the first decoded one. */
  readonly contextTokens: number;
  readonly tokens: number;
  readonly tokensPerSecond: Figure;
  readonly joulesPerToken: Figure;
  /** What memory allows at most; undefined on a GPU, whose memory is not measured. */
  readonly ceilingTokensPerSecond: number | undefined;
  readonly shareOfCeiling: number | undefined;
}

/** How fast a GGUF file runs here and what that takes. Figures are medians with their 95 % interval. */
export interface BenchReport {
  readonly model: string;
  readonly bytes: number;
  readonly bitsPerWeight: number;
  readonly threads: number;
  readonly device: string;
  readonly repeats: number;
  /** Starting llama.cpp, loading weights and making the context, once. */
  readonly loadMs: number;
  readonly prefill: readonly PrefillRow[];
  readonly decode: readonly DecodeRow[];
  /** The prompt, the longest up to 512, of the next figures. */
  readonly promptTokens: number;
  readonly timeToFirstTokenMs: Figure;
  /** The most that this process held at once, its own code and the model's pages included. */
  readonly peakMemoryBytes: number;
  readonly bandwidth: Bandwidth;
  readonly bandwidthCeilingTokensPerSecond: number | undefined;
  readonly energy: { readonly joulesPerToken: Figure; readonly method: string };
  readonly millionTokens: { readonly prefill: Footprint; readonly decode: Footprint };
  readonly factors: EnergyFactors;
  readonly notes: readonly string[];
}

const longestHeadlinePrompt = 512;
const defaultDecodeTokens = 64;
const defaultRepeats = 6;

/**
 * Times a GGUF file in llama.cpp: prompts and decoding at several lengths, load, memory, energy.
 *
 * Hands the file to native code in this process: callers that do not trust it use one of its own.
 *
 * @throws {@link PithError} what `openModel` and `openLlama` throw; `usage` for lengths that the
 *   context cannot hold and for wrong factors; `cancelled`.
 */
export async function bench(path: string, options: BenchOptions = {}): Promise<BenchReport> {
  const { decodeTokens = defaultDecodeTokens, repeats = defaultRepeats } = options;
  const factors = await loadFactors(options.factorsFile);
  const model = await openModel(path);
  try {
    const promptLengths = promptLengthsFor(model, options.promptLengths, decodeTokens);
    const power = await powerSource(factors);
    const { vocabulary = 1 } = summarize(model);
    const timing = { promptLengths, vocabulary, decodeTokens, repeats, energy: power.energy };
    const { runs, ...timed } = await timeEngine(path, timing, options);
    // Only now: its threads hold more memory than a small model needs.
    const bandwidth = await measureBandwidth(options.signal);
    const setting = { bandwidth, factors, decodeTokens, promptLengths, device: timed.device };
    return {
      ...facts(path, model),
      ...timed,
      repeats,
      ...speeds(model, runs, { ...setting, method: power.method }),
      notes: notesOf(timed.device, options.promptLengths, promptLengths),
    };
  } finally {
    await model.close();
  }
}

async function timeEngine(path: string, timing: TimingOptions, options: BenchOptions) {
  const { threads, gpu = false, onProgress, signal } = options;
  const contextLength = timing.promptLengths.at(-1)! + timing.decodeTokens + spareTokens;
  const opening = { threads, gpu, contextLength, ...(signal && { signal }) };
  const engine = await openLlama(path, opening);
  try {
    const runs = await timeRuns(engine, { ...timing, onProgress, signal });
    const { device, loadMs } = engine;
    const peak = peakMemoryBytes();
    return { runs, threads: engine.threads, device, loadMs, peakMemoryBytes: peak };
  } finally {
    await engine.close();
  }
}

async function powerSource(factors: EnergyFactors) {
  const meter = await openEnergyMeter();
  if (!meter) {
    const { watts, method } = estimatedPower(factors);
    return { energy: { watts }, method };
  }
  if (meter.countsMemory) return { energy: meter, method: meter.method };
  const memoryWatts = factors.memoryWatts.value;
  const started = performance.now();
  const energy = {
    readJoules: async () =>
      (await meter.readJoules()) + (memoryWatts * (performance.now() - started)) / 1000,
  };
  return { energy, method: `${meter.method}, and memory at ${memoryWatts} W` };
}

function facts(path: string, model: Model) {
  const { bytes, bitsPerWeight } = summarize(model);
  return { model: path, bytes, bitsPerWeight };
}

interface Setting {
  readonly bandwidth: Bandwidth;
  readonly factors: EnergyFactors;
  readonly decodeTokens: number;
  readonly promptLengths: readonly number[];
  readonly device: string;
  readonly method: string;
}

function speeds(model: Model, runs: readonly TimedRun[], setting: Setting) {
  const { bandwidth, factors, promptLengths } = setting;
  const rows = promptLengths.map((length) => {
    const same = runs.filter(({ promptTokens }) => promptTokens === length);
    return { prefill: prefillRow(length, same), decode: decodeRow(model, length, same, setting) };
  });
  const at = Math.max(
    0,
    promptLengths.findLastIndex((length) => length <= longestHeadlinePrompt),
  );
  const { prefill, decode } = rows[at]!;
  return {
    prefill: rows.map((row) => row.prefill),
    decode: rows.map((row) => row.decode),
    promptTokens: prefill.tokens,
    timeToFirstTokenMs: prefill.timeToFirstTokenMs,
    bandwidth,
    bandwidthCeilingTokensPerSecond: decode.ceilingTokensPerSecond,
    energy: { joulesPerToken: decode.joulesPerToken, method: setting.method },
    millionTokens: {
      prefill: footprintOfMillion(prefill.joulesPerToken, factors),
      decode: footprintOfMillion(decode.joulesPerToken, factors),
    },
    factors,
  };
}

function prefillRow(tokens: number, runs: readonly TimedRun[]): PrefillRow {
  const milliseconds = runs.map(({ timeToFirstTokenMs }) => timeToFirstTokenMs);
  return {
    tokens,
    tokensPerSecond: medianFigure(milliseconds.map((ms) => (1000 * tokens) / ms)),
    timeToFirstTokenMs: medianFigure(milliseconds),
    joulesPerToken: medianFigure(runs.map(({ prefillJoules }) => prefillJoules / tokens)),
  };
}

function decodeRow(
  model: Model,
  contextTokens: number,
  runs: readonly TimedRun[],
  { bandwidth, decodeTokens, device }: Setting,
): DecodeRow {
  const tokensPerSecond = medianFigure(runs.map((run) => run.decodeTokensPerSecond));
  const { tensors } = summarize(model);
  // Half of the decoded tokens are in the cache at the middle step.
  const traffic = decodeTraffic(model, tensors, contextTokens + decodeTokens / 2);
  const ceiling = device === 'cpu' ? bandwidth.bytesPerSecond / traffic.totalBytes : undefined;
  return {
    contextTokens,
    tokens: decodeTokens,
    tokensPerSecond,
    joulesPerToken: medianFigure(runs.map((run) => run.decodeJoulesPerToken)),
    ceilingTokensPerSecond: ceiling,
    shareOfCeiling: ceiling === undefined ? undefined : tokensPerSecond.value / ceiling,
  };
}

function notesOf(
  device: string,
  wanted: readonly number[] | undefined,
  timed: readonly number[],
): string[] {
  return [
    ...(device === 'cpu'
      ? []
      : [
          `The ${device} device's own energy and memory speed are not measured: energy is the ` +
            'processor’s alone, and there is no ceiling.',
        ]),
    ...(wanted === undefined && timed.length < 3
      ? [
          `Prompts of ${timed.join(' and ')} tokens alone: the model was trained on a short context.`,
        ]
      : []),
  ];
}
