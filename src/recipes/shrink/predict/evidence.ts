import { stat } from 'node:fs/promises';
import type { Model } from '../../../models/model.ts';
import { PithError } from '../../../util/errors.ts';
import { calibrate } from '../../calibrate/calibrate.ts';
import { calibrationWindows, windowsHash } from '../../calibrate/windows.ts';
import { contextOf } from '../../evaluate/defaults.ts';
import { openEvidence, type OpenEvidence } from '../../open-evidence.ts';
import type { ShrinkRequest, ShrinkTarget } from '../request.ts';

/** Text for evidence, and text of the same kind that evidence never sees. */
export interface CalibrationSplit {
  readonly measured: readonly Int32Array[];
  /** The last windows: what predictions are checked on. */
  readonly heldOut: readonly Int32Array[];
  readonly windowTokens: number;
  readonly datasets: readonly string[];
  readonly notes: readonly string[];
}

/** Columns whose errors make up for one another: a block of 2048 takes 16 MB. */
export const hessianBlock = 2048;
/** One window in so many is held out, at most so many in all. */
const heldOut = { oneIn: 8, most: 8 };

/**
 * Cuts the calibration text into windows and holds out its end.
 *
 * @throws PithError `unsupported` for text of fewer than two windows; what reading texts throws.
 */
export async function splitCalibration(
  { model: reference, data, tokens, context: asked }: ShrinkRequest,
  model: Model,
): Promise<CalibrationSplit> {
  const context = contextOf({ model: reference, data: [], context: asked }, [model]);
  const request = { model: reference, data: data ?? [], maxTokens: tokens };
  const { windows, datasets, notes } = await calibrationWindows(request, model, context);
  if (windows.length < 2)
    throw new PithError(
      'unsupported',
      `The calibration text has one window of ${context} tokens; it takes two, one to measure and one to check.`,
      'Give more text (--data), more of it (--tokens), or shorter windows (--context).',
    );
  const last = Math.min(heldOut.most, Math.max(1, Math.floor(windows.length / heldOut.oneIn)));
  return {
    measured: windows.slice(0, -last),
    heldOut: windows.slice(-last),
    windowTokens: context,
    datasets,
    notes,
  };
}

/**
 * The evidence of a model on the measured part of a text: that of an earlier run where it is of the same
 * weights and tokens, else measured and kept.
 *
 * @throws PithError what `calibrate` throws.
 */
export async function evidenceOf(
  request: ShrinkRequest,
  split: CalibrationSplit,
  { path, modelHash, target }: EvidencePlace,
): Promise<OpenEvidence> {
  const kept = await keptEvidence(path);
  const isSame =
    kept?.source.modelHash === modelHash &&
    kept.source.dataHash === windowsHash(split.measured) &&
    kept.embedding !== undefined &&
    kept.hessians !== undefined;
  if (isSame) return kept;
  await kept?.close();
  const { threads, onProgress, signal } = target;
  const maxTokens = split.measured.length * split.windowTokens;
  await calibrate(
    {
      model: request.model,
      data: request.data ?? [],
      context: split.windowTokens,
      maxTokens,
      hessianBlock,
    },
    { output: path, force: true, ...(threads !== undefined && { threads }), onProgress, signal },
  );
  return openEvidence(path);
}

/** Where evidence is kept, and of what it must be. */
export interface EvidencePlace {
  readonly path: string;
  readonly modelHash: string;
  readonly target: ShrinkTarget;
}

/** A damaged file, or one of another version, is measured anew. */
async function keptEvidence(path: string): Promise<OpenEvidence | undefined> {
  if (!(await stat(path).catch(() => undefined))) return undefined;
  try {
    return await openEvidence(path);
  } catch (error) {
    if (error instanceof PithError) return undefined;
    throw error;
  }
}
