/**
 * What a model is worth, and what compression cost it, with 95 % intervals.
 *
 * @module
 */
export { bootstrap, type BootstrapOptions, type Statistics } from './bootstrap.ts';
export { parseDocuments, type TextDocument, type TextDocuments } from './documents.ts';
export type { Figure } from './figure.ts';
export { clustersOf, groupTokens, type Grouping } from './grouping.ts';
export { clusteredMean, effectiveClusters, mapFigure, type Cluster } from './interval.ts';
export {
  openOnnxEmbedder,
  openOnnxScorer,
  type OnnxEmbedder,
  type OnnxEmbedderOptions,
  type OnnxScorer,
  type OnnxScorerOptions,
} from './onnx/index.ts';
export { judged, pairedDifference, type PairedDifference } from './paired.ts';
export { proportion } from './proportion.ts';
export { clusteredQuantiles } from './quantiles.ts';
export { baseFormat, joinScores, scoresFormat, type RecordFormat } from './records.ts';
export { keptTop, scoreBase, scoreCandidate, type ScoreRange } from './score-windows.ts';
export type { ScoreOptions, TokenScorer, TokenWindow, WindowScores } from './scorer.ts';
export {
  groupDocuments,
  summarizeComparison,
  summarizeLikelihood,
  type Comparison,
  type Likelihood,
  type TailReport,
} from './summary.ts';
export type { BaseScores, ComparedScores, TokenScores } from './token-scores.ts';
export {
  openingToken,
  requireSameVocabulary,
  tokensOf,
  type VocabularyOwner,
} from './vocabulary.ts';
export {
  checkVocabulary,
  cutWindows,
  type DocumentWindow,
  type EvaluationTokenizer,
  type ScoredDocument,
  type WindowOptions,
  type Windows,
} from './windows.ts';
