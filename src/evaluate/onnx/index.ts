export { openOnnxEmbedder, type OnnxEmbedder, type OnnxEmbedderOptions } from './embedder.ts';
export { openOnnxScorer, type OnnxScorerOptions } from './open.ts';
export { OnnxScorer, type OnnxScorerPlan } from './scorer.ts';
