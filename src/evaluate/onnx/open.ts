import type { Engine } from '../../graph/engine.ts';
import { inlineTranscoder, type Transcoder } from '../../kernels/transcoder.ts';
import { createWasmKernels } from '../../kernels/wasm.ts';
import { stackedExperts } from '../../models/expert-stacks.ts';
import { decoderGraph } from '../../models/graph/decoder.ts';
import { hyperParameter, requiredParameter } from '../../models/hyper-parameters.ts';
import type { Model } from '../../models/model.ts';
import { weightsOf } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { formatBytes } from '../../util/format-units.ts';
import type { OnProgress } from '../../util/progress.ts';
import { BlockForward } from './block-forward.ts';
import { expertTensors } from './expert-tensors.ts';
import { weightNames } from './programs.ts';
import { OnnxScorer, type OnnxScorerPlan } from './scorer.ts';
import { WeightStore } from './weight-store.ts';
import { WholeForward } from './whole-forward.ts';

/** How to open a scorer. */
export interface OnnxScorerOptions {
  /** Tokens of the longest window: the model is run in this size. Default 512, or the model's if less. */
  readonly contextLength?: number;
  /** Default: `whole` where the weights as f32 fit 70 % of `availableBytes`. */
  readonly mode?: OnnxScorerPlan['mode'];
  /** Memory that may be used, for example `process.availableMemory()`. Default: enough. */
  readonly availableBytes?: number;
  /** Decodes weights; the caller closes it. Default: the kernels on the calling thread. */
  readonly transcoder?: Transcoder;
  /** Weights as they are read in `whole` mode, blocks as they are passed in `byBlock` mode. */
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

const defaultContext = 512;
const share = 0.7;
/** Windows that run while others are being cut and compared. */
const windowsOfWhole = 4;
/** Activations that wait between blocks. */
const activationBytes = 2 ** 28;

/**
 * Opens a decoder's weights, dequantized to f32, on an engine of graphs.
 *
 * @throws PithError `unsupported` for a model that Pith has no graph for, `usage` for a context longer
 *   than the model's, `cancelled`; whatever reading the weights throws.
 * @remarks Memory: `whole` 4 bytes a weight; `byBlock` the f32 weights of two blocks, experts apart, and
 *   of two experts, or the output matrix if that is larger, and 256 MiB of activations.
 *   Experts run on their own tokens in both modes. Log-probabilities equal those of the scalar
 *   reference engine within 1e-4, padded and batched or not: test/peer/onnx-scorer.test.ts.
 */
export async function openOnnxScorer(
  model: Model,
  engine: Engine,
  options: OnnxScorerOptions = {},
): Promise<OnnxScorer> {
  const plan = planOf(model, options);
  const transcoder = options.transcoder ?? inlineTranscoder(await createWasmKernels());
  const isWhole = plan.mode === 'whole';
  const weights = new WeightStore(model, engine, transcoder, isWhole);
  const { contextLength } = plan;
  const graph = decoderGraph(model, { batch: 1, length: contextLength, logits: 1 });
  if (isWhole) await weights.loadAll(storedNames(model, weightNames(graph)), options);
  const Way = isWhole && !hasExperts(model) ? WholeForward : BlockForward;
  const forward = new Way(model, engine, weights);
  const onProgress = isWhole ? undefined : options.onProgress;
  return new OnnxScorer({ model, engine, weights, forward, onProgress }, plan);
}

/** Experts are stored one by one. */
function storedNames({ tensors }: Model, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const experts = expertTensors(tensors.get(name)!);
    return experts.length > 0 ? experts.map((expert) => expert.name) : [name];
  });
}

function hasExperts({ tensors }: Model): boolean {
  return [...tensors.values()].some((tensor) => stackedExperts(tensor) !== undefined);
}

function planOf(model: Model, options: OnnxScorerOptions): OnnxScorerPlan {
  const longest = hyperParameter(model, 'context_length') ?? Infinity;
  const contextLength = options.contextLength ?? Math.min(defaultContext, longest);
  if (contextLength > longest)
    throw new PithError(
      'usage',
      `Windows of ${contextLength} tokens are longer than the model's context of ${longest}.`,
      `Use at most ${longest}.`,
    );
  const [vocabulary] = model.tensors.get('token_embd.weight')?.shape ?? [];
  if (vocabulary === undefined)
    throw new PithError('corrupt', `${model.source} has no tensor token_embd.weight.`);
  const { mode, reason } = modeOf(model, options);
  const width = requiredParameter(model, 'embedding_length');
  // Experts' inputs wait beside the blocks' outputs.
  const windowBytes = 4 * width * contextLength * (hasExperts(model) ? 2 : 1);
  const byMemory = Math.max(1, Math.floor(activationBytes / windowBytes));
  const windowsAtOnce = mode === 'whole' ? windowsOfWhole : byMemory;
  return { mode, reason, contextLength, vocabulary, windowsAtOnce };
}

/** Whether a model's weights as f32 fit the memory that there is, and why. */
export function modeOf(
  model: Model,
  { mode, availableBytes = Infinity }: Pick<OnnxScorerOptions, 'mode' | 'availableBytes'>,
): Pick<OnnxScorerPlan, 'mode' | 'reason'> {
  const bytes = [...model.tensors.values()].reduce(
    (sum, { shape }) => sum + 4 * weightsOf(shape),
    0,
  );
  if (mode) return { mode, reason: 'as asked for' };
  const weights = `${formatBytes(bytes)} of weights as f32`;
  if (availableBytes === Infinity) return { mode: 'whole', reason: `${weights}, no limit given` };
  const limit = `${formatBytes(share * availableBytes)}, 70 % of the memory there is`;
  return bytes <= share * availableBytes
    ? { mode: 'whole', reason: `${weights} fit ${limit}` }
    : { mode: 'byBlock', reason: `${weights} do not fit ${limit}` };
}
