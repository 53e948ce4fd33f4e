export { openOnnxScorer, type OnnxScorerOptions } from './open.ts';
export { OnnxScorer, type OnnxScorerPlan } from './scorer.ts';
