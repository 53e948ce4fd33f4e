/**
 * What a model's activations and gradients are over some text: collected, stored, read.
 *
 * @module
 */
export { collectEvidence } from './collect.ts';
export type { Collected, CollectOptions, CollectorParts } from './collection.ts';
export { MemoryStore, type CollectionLayout, type CollectionStore } from './collection-store.ts';
export { coverageWarnings } from './coverage.ts';
export type {
  EmbeddingEvidence,
  Evidence,
  EvidenceSource,
  PeakMoments,
  SecondMoments,
  TensorEvidence,
} from './evidence.ts';
export { hessianRows, type Hessian, type HessianShape, type HessianSource } from './hessian.ts';
export type { Gram, GramShape, GramSource } from './gram.ts';
export { planEvidenceFile, planImatrixFile, type PlannedFile } from './evidence-file.ts';
export { meanSquares, priorTokens } from './moments.ts';
export { readEvidence } from './read-evidence.ts';
export { activationBlock, roundingNoise, type ActivationBlock } from './rounding-noise.ts';
