import { unitOf, type TensorType } from '../tensor/dtypes.ts';
import { averageBits, weightsOf, type Tensor } from '../tensor/tensor.ts';
import { stackedExperts } from './expert-stacks.ts';
import { hyperParameter } from './hyper-parameters.ts';
import type { Model } from './model.ts';

/** A tensor without its weights. */
export interface TensorSummary {
  readonly name: string;
  /** Row-major, `[out, in]`. */
  readonly shape: readonly number[];
  readonly type: TensorType;
  readonly bytes: number;
}

/** What a model is, from its keys and its tensor table. */
export interface ModelSummary {
  readonly architecture: string;
  /** Stored weights: one count for a tied embedding, which is stored once. */
  readonly parameters: number;
  /** Weights that one token meets: of stacked experts, those that the router chooses. */
  readonly activeParameters: number;
  /** Bytes of all tensors, without the file's header. */
  readonly bytes: number;
  /** Of the tensors alone: 16 for an F16 file, whatever its header. */
  readonly bitsPerWeight: number;
  /** Tokens the model was trained to see at once; undefined when the file does not say. */
  readonly contextLength: number | undefined;
  /** Number of tokens. */
  readonly vocabulary: number | undefined;
  readonly layers: number | undefined;
  readonly chatTemplate: boolean;
  readonly tensors: readonly TensorSummary[];
}

/** Sums up a model without reading a weight. */
export function summarize(model: Model): ModelSummary {
  const tensors = [...model.tensors.values()].map(summarizeTensor);
  const parameters = sum(tensors.map(({ shape }) => weightsOf(shape)));
  const bytes = sum(tensors.map((tensor) => tensor.bytes));
  return {
    architecture: model.architecture,
    parameters,
    activeParameters: sum([...model.tensors.values()].map(activeWeights(model))),
    bytes,
    bitsPerWeight: averageBits(tensors),
    contextLength: hyperParameter(model, 'context_length'),
    vocabulary: vocabularySize(model),
    layers: hyperParameter(model, 'block_count'),
    chatTemplate: model.metadata.has('tokenizer.chat_template'),
    tensors,
  };
}

function activeWeights(model: Model): (tensor: Tensor) => number {
  const used = hyperParameter(model, 'expert_used_count');
  return (tensor) => {
    const weights = weightsOf(tensor.shape);
    const experts = stackedExperts(tensor);
    if (!experts || !used) return weights;
    return (weights / experts) * Math.min(used, experts);
  };
}

function summarizeTensor({ name, shape, type }: Tensor): TensorSummary {
  const { weights, bytes } = unitOf(type);
  return { name, shape, type, bytes: (weightsOf(shape) / weights) * bytes };
}

function vocabularySize(model: Model): number | undefined {
  const tokens = model.metadata.get('tokenizer.ggml.tokens');
  if (tokens?.type === 'array') return tokens.value.length;
  return hyperParameter(model, 'vocab_size') ?? model.tensors.get('token_embd.weight')?.shape[0];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
