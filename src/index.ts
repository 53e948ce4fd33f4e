/**
 * Pith: makes language models smaller and proves what survived.
 *
 * @module
 */
export { openModel, type Model } from './models/index.ts';
export {
  prepareQuantization,
  quantize,
  type PreparedQuantization,
  type QuantizeReport,
  type QuantizeRequest,
  type QuantizeTarget,
} from './recipes/quantize.ts';
export {
  bench,
  type BenchOptions,
  type BenchReport,
  type DecodeRow,
  type PrefillRow,
} from './recipes/bench/bench.ts';
export { fit, type FitOptions, type FitReport } from './recipes/fit/fit.ts';
export type { FitRow, MemoryCell, Recommendation } from './recipes/fit/recommend.ts';
export { calibrate, type CalibrateReport } from './recipes/calibrate/calibrate.ts';
export type { CalibrateRequest, CalibrateTarget } from './recipes/calibrate/request.ts';
export {
  predictShrink,
  shrink,
  type PredictedFile,
  type ShrinkPrediction,
  type ShrinkReport,
} from './recipes/shrink/shrink.ts';
export type { ShrinkRequest, ShrinkTarget } from './recipes/shrink/request.ts';
export type { ShrunkFile } from './recipes/shrink/shrunk-file.ts';
export { evaluate, type EvaluateReport } from './recipes/evaluate/evaluate.ts';
export type { EvaluateOptions, EvaluateRequest } from './recipes/evaluate/request.ts';
export { evaluateTasks, type TasksReport } from './recipes/evaluate/tasks.ts';
export type { Check } from './recipes/verify/check.ts';
export { verify, type VerifyOptions, type VerifyReport } from './recipes/verify/verify.ts';
export { openLlamaScorer } from './evaluate/llama-scorer.ts';
export type { ScoreOptions, TokenScorer, TokenWindow, WindowScores } from './evaluate/scorer.ts';
export { openLlama, type LlamaEngine, type LlamaOptions } from './runtime/llama.ts';
export { memorySource } from './util/memory-source.ts';
export type { ByteSink, ByteSource } from './util/byte-source.ts';
export { errorCodes, PithError, type ErrorCode } from './util/errors.ts';
export type { OnProgress, ProgressEvent } from './util/progress.ts';
export { version } from './util/version.ts';
