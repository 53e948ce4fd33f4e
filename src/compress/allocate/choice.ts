import type { EncodableType } from '../../kernels/kernels.ts';

/** One storage type for a group of tensors, and what it costs. */
export interface Choice {
  readonly type: EncodableType;
  readonly bytes: number;
  /** Predicted KL divergence, nats a token. */
  readonly cost: number;
}

/** Tensors that have one type together: one tensor, experts of a stack, fused or tied matrices. */
export interface ChoiceGroup {
  readonly tensors: readonly string[];
  readonly choices: readonly Choice[];
}

/** A type for every tensor. */
export interface Allocation {
  readonly types: ReadonlyMap<string, EncodableType>;
  /** Of all groups together. */
  readonly bytes: number;
  /** Predicted KL divergence, nats a token. */
  readonly cost: number;
}
