import type { TranscodeJob } from './kernels.ts';
import { blockTypes } from '../tensor/block-types.ts';
import { unitOf } from '../tensor/dtypes.ts';

/** Weights converted at a time: as f32 they stay in the second-level cache. */
const weightsPerStep = 16384;

/** The largest buffers that a step needs, in weights and bytes. */
export interface StepSizes {
  readonly weights: number;
  readonly columns: number;
  readonly outBytes: number;
  readonly packedBytes: number;
}

/** A few rows of a job, as views. */
export interface Step {
  /** Index of the step's first weight in the slab. */
  readonly first: number;
  readonly weights: number;
  readonly bytes: Uint8Array;
  readonly out: Uint8Array;
}

/** Sizes of a whole step of a job whose sizes have been checked. */
export function transcodeStep({ from, to, columns }: TranscodeJob): StepSizes {
  const weights = columns * Math.max(1, Math.floor(weightsPerStep / columns));
  return {
    weights,
    columns,
    outBytes: (weights / blockTypes[to].weights) * blockTypes[to].bytes,
    packedBytes: (weights / unitOf(from).weights) * unitOf(from).bytes,
  };
}

/**
 * Cuts a job into whole rows. The sums of the steps are added up, so every implementation takes the
 * same steps.
 */
export function* transcodeSteps(job: TranscodeJob): Generator<Step> {
  const { weights, outBytes, packedBytes } = transcodeStep(job);
  for (let step = 0; step * packedBytes < job.bytes.length; step++) {
    const bytes = job.bytes.subarray(step * packedBytes, (step + 1) * packedBytes);
    const out = job.out.subarray(step * outBytes, (step + 1) * outBytes);
    yield {
      first: step * weights,
      weights: (bytes.length / packedBytes) * weights,
      bytes,
      out,
    };
  }
}
