import { availableParallelism } from 'node:os';
import { availableMemory } from 'node:process';
import { collectEvidence } from '../../compress/evidence/collect.ts';
import { coverageWarnings } from '../../compress/evidence/coverage.ts';
import type { Evidence } from '../../compress/evidence/evidence.ts';
import { modeOf } from '../../evaluate/onnx/open.ts';
import { WeightStore } from '../../evaluate/onnx/weight-store.ts';
import type { Model } from '../../models/model.ts';
import { startTranscoder } from '../../runtime/kernel-workers.ts';
import { openOnnxEngine } from '../../runtime/onnx/index.ts';
import type { OpenThings } from '../../util/closing.ts';
import { PithError } from '../../util/errors.ts';
import { nonFiniteWeight } from '../non-finite-weight.ts';
import { modelHash, tokenizerHash } from '../evaluate/model-hash.ts';
import { orStopped, type Left } from '../interrupted.ts';
import type { CalibrateRequest, CalibrateTarget } from './request.ts';
import { StateFile } from './state-file.ts';
import { windowsHash, type CalibrationWindows } from './windows.ts';
import { hashOf } from './write.ts';

/** What came of running the model, and where its Hessians are read from. */
export interface Measured {
  readonly evidence: Evidence;
  readonly state: StateFile;
  readonly device: string;
  readonly notes: readonly string[];
}

/** What measuring needs beside a model and text; what it opens is added to `opened`. */
export interface MeasureOptions {
  readonly request: CalibrateRequest;
  readonly target: CalibrateTarget;
  readonly opened: OpenThings;
  /** As in `CollectOptions`. */
  readonly singular?: boolean;
}

const seed = 1;
/** Activations between blocks may take a quarter of the memory there is, within these. */
const leastActivations = 2 ** 28;
const mostActivations = 2 ** 31;
/** No more tokens are lost when a run is stopped: half a minute for 135 M parameters, with gradients. */
const tokensOfPass = 2 ** 14;

/** Runs a model over windows of text, going on where an earlier run stopped. */
export async function measure(
  model: Model,
  text: CalibrationWindows,
  { request, target, opened, singular }: MeasureOptions,
): Promise<Measured> {
  const { threads = availableParallelism(), onProgress, signal } = target;
  const { mode, reason } = modeOf(model, { availableBytes: availableMemory() });
  const source = {
    model: request.model,
    modelHash: await modelHash(model, { onProgress, signal }),
    tokenizerHash: tokenizerHash(model),
    datasets: text.datasets,
    dataHash: windowsHash(text.windows),
    seed,
  };
  const engine = opened.add(await openOnnxEngine({ threads, ...(signal && { signal }) }));
  const transcoder = opened.add(await startTranscoder(threads));
  const weights = opened.add(new WeightStore(model, engine, transcoder, mode === 'whole'));
  const { gradients = true, hessianBlock } = request;
  const windowTokens = text.windows[0]!.length;
  const options = [seed, windowTokens, gradients, String(hessianBlock)];
  const key = keyOf([
    source.modelHash,
    source.dataHash,
    options,
    engine.name,
    engine.provider,
    threads,
  ]);
  const state = opened.add(new StateFile(`${target.output}.state`, key));
  const left = () => leftIn(state, text.windows.length);
  const collected = await orStopped(signal, left, () =>
    collectEvidence({ model, engine, weights }, text.windows, {
      gradients,
      hessianBlock,
      singular,
      seed,
      activationBytes: activationBytes(),
      windowsAtOnce: Math.ceil(tokensOfPass / windowTokens),
      store: state,
      onProgress,
      signal,
    }).catch(async (cause: unknown) => {
      if (!isNotFinite(cause)) throw cause;
      // What was measured is of no use to a later run.
      await state.remove();
      const found = await nonFiniteWeight(model, transcoder, { onProgress, signal });
      throw found === undefined ? cause : brokenWeight(found, cause);
    }),
  );
  const where = mode === 'whole' ? 'kept in memory' : 'read block by block';
  return {
    evidence: { source, ...collected, warnings: coverageWarnings(collected) },
    state,
    device: engine.provider,
    notes: [
      `Weights are ${where} by ${engine.name}, ${engine.provider}: ${reason}.`,
      ...state.notes,
    ],
  };
}

function isNotFinite(cause: unknown): cause is PithError {
  return cause instanceof PithError && cause.code === 'not-finite';
}

function brokenWeight(found: string, cause: PithError): PithError {
  const hint = 'The model itself is damaged: get it again, or repair the step that made it.';
  return new PithError('not-finite', `${found}.`, hint, { cause });
}

function leftIn({ path, windows }: StateFile, all: number): Left {
  return {
    what: `${windows} of ${all} windows are kept in ${path}`,
    continues: windows > 0,
  };
}

function activationBytes(): number {
  return Math.max(leastActivations, Math.min(mostActivations, availableMemory() / 4));
}

/** Of everything that determines the sums. */
function keyOf(parts: readonly unknown[]): string {
  return hashOf([new TextEncoder().encode(JSON.stringify(parts))]);
}
