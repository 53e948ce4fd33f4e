/**
 * What a model's activations and gradients are over some text: collected, stored, read.
 *
 * @module
 */
export { collectEvidence } from './collect.ts';
export type { Collected, CollectOptions, CollectorParts } from './collection.ts';
export { coverageWarnings } from './coverage.ts';
export type {
  EmbeddingEvidence,
  Evidence,
  EvidenceSource,
  Hessian,
  SecondMoments,
  TensorEvidence,
} from './evidence.ts';
export { planEvidenceFile, planImatrixFile, type PlannedFile } from './evidence-file.ts';
export { meanSquares, priorTokens } from './moments.ts';
export { readEvidence } from './read-evidence.ts';
