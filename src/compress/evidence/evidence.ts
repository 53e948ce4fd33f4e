import type { GramSource } from './gram.ts';
import type { HessianSource } from './hessian.ts';

/** Sums of squares over tokens, of each expert after the other. */
export interface SecondMoments {
  /** 1 for a matrix that every token goes through. */
  readonly experts: number;
  /** Columns or rows of the matrix. */
  readonly size: number;
  /** `[experts, size]`. */
  readonly sums: Float64Array;
  /** Tokens that each expert saw, `[experts]`. */
  readonly counts: Float64Array;
}

/** Σ (max |a|)² of blocks of neighbouring input columns: what llama.cpp scales activations by to round them. */
export interface PeakMoments {
  /** Of 32 columns, the last of what remains. */
  readonly of32: SecondMoments;
  readonly of256: SecondMoments;
}

/** What a run of text tells of one matrix `y = W a`. */
export interface TensorEvidence {
  /** Σ a² of each input column. */
  readonly inputs: SecondMoments;
  /** Absent from evidence that was made without. */
  readonly peaks?: PeakMoments;
  /**
   * Σ (∂ℓ/∂y)² of each output row: ℓ is the sum over a window of −ln p of tokens drawn from the model
   * itself, so that its expectation is the diagonal of the Fisher information.
   */
  readonly outputs?: SecondMoments;
}

/** What it tells of the embedding as a table of rows. */
export interface EmbeddingEvidence {
  /** Σ (∂ℓ/∂e)² of each column. */
  readonly gradients: SecondMoments;
  /** How often each row was read. */
  readonly rows: Float64Array;
}

/** What was run, so that evidence is not used with another model. */
export interface EvidenceSource {
  readonly model: string;
  readonly modelHash: string;
  readonly tokenizerHash: string;
  readonly datasets: readonly string[];
  /** Of the tokens. */
  readonly dataHash: string;
  /** Where sampled labels come from. */
  readonly seed: number;
}

/** What a model's activations and gradients were over some text. */
export interface Evidence {
  readonly source: EvidenceSource;
  readonly tokens: number;
  readonly windowTokens: number;
  /** By the name of the matrix, `blk.0.attn_q.weight`; a tied embedding stands for the output matrix. */
  readonly tensors: ReadonlyMap<string, TensorEvidence>;
  /** Only with gradients. */
  readonly embedding?: EmbeddingEvidence;
  /** Only when asked for; experts have them with gradients. */
  readonly hessians?: HessianSource;
  /** With Hessians and gradients. */
  readonly grams?: GramSource;
  readonly warnings: readonly string[];
}

/** Sums that are still 0. */
export function noMoments(experts: number, size: number): SecondMoments {
  const sums = new Float64Array(experts * size);
  return { experts, size, sums, counts: new Float64Array(experts) };
}
