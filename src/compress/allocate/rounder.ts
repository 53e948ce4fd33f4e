import type { EncodableType } from '../../kernels/kernels.ts';
import { roundTripValues } from '../../kernels/round-trip.ts';
import type { Transcoder } from '../../kernels/transcoder.ts';
import type { TensorEvidence } from '../evidence/evidence.ts';

/** Some rows of one matrix that are to be stored as a type. */
export interface RowsToRound {
  readonly tensor: string;
  readonly type: EncodableType;
  readonly columns: number;
  /** `[rows, columns]`, not to be modified. */
  readonly values: Float32Array<ArrayBuffer>;
  /** One weight ≥ 0 a column. */
  readonly importance: Float32Array;
  /** What is known of the tensor; nothing of a table. */
  readonly evidence: TensorEvidence | undefined;
  /** The matrix of a stack that the rows are of; else 0. */
  readonly expert: number;
}

/** Gives what a decoder reads back of rows, `[rows, columns]`; each row on its own. */
export type Rounder = (rows: RowsToRound) => Promise<Float32Array>;

/** Rounds as `writeQuantized` does: the plain encoders, weighted by importance. */
export function encodingRounder(transcoder: Transcoder): Rounder {
  return ({ type: to, columns, values, importance }) =>
    roundTripValues(transcoder, values, { to, columns, importance });
}
