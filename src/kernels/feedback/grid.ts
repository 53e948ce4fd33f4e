import type { EncodableType } from '../encodable-types.ts';
import type { CodebookLists } from '../scalar/codebook-lists.ts';

/**
 * What a block type can store once its scales are fixed: `x̂ᵢ = scaleᵢ · level − offsetᵢ`.
 *
 * A block is first encoded as usual; its scales are then read back, the codes are chosen anew, one
 * after the other, and written over the first ones.
 */
export type Grid = ScalarGrid | CodebookGrid;

interface BlockScales {
  readonly type: EncodableType;
  /** Weights of a block: 32 or 256. */
  readonly weights: number;
  readonly bytes: number;
  /** Reads the scale and offset of every weight of the block at `bytes[at]`; the same f32 that its decoder uses. */
  readScales(bytes: Uint8Array, at: number, scales: Float32Array, offsets: Float32Array): void;
}

/** A weight has a level of its own. */
export interface ScalarGrid extends BlockScales {
  readonly kind: 'scalar';
  /** Value of each code, rising. */
  readonly levels: Float32Array;
  /** Writes one code a weight over those of the block at `bytes[at]`; scales stay. */
  writeCodes(codes: Uint8Array, bytes: Uint8Array, at: number): void;
}

/** Magnitudes of 4 or 8 weights are an entry of a codebook; offsets are 0. */
export interface CodebookGrid extends BlockScales {
  readonly kind: 'codebook';
  readonly lists: CodebookLists;
  /** Only an even number of weights among eight can be negative. */
  readonly evenSigns: boolean;
  /** Writes an entry a group and a byte of signs (bit j: weight j is negative) for eight weights. */
  writeEntries(entries: Uint16Array, signs: Uint8Array, bytes: Uint8Array, at: number): void;
}
