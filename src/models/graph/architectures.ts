import { PithError } from '../../util/errors.ts';
import { nearestName } from '../../util/nearest-name.ts';

/** Functions between the matrices of a feed-forward part. */
export type Activation = 'silu' | 'gelu' | 'geluTanh' | 'relu';

/**
 * What the tensors and keys of a GGUF file do not tell about its architecture. Biases, norms of
 * heads, fused matrices, experts and a tied head are seen in the tensors.
 */
export interface Architecture {
  /** `decoder`: each token sees those before it; `encoder`: all tokens see each other. */
  readonly kind: 'decoder' | 'encoder';
  /** What `…_norm` tensors scale: x over its root mean square, x standardized, or x itself. */
  readonly norm: 'rms' | 'layer' | 'none';
  /**
   * Where norms stand around attention and feed-forward part: `before` each, on `bothSides`, `after`
   * the sum with the input, or one before both, which then run in `parallel`;
   * or `after` in a `bottleneck` that is narrower than the model.
   */
  readonly norms: 'before' | 'bothSides' | 'after' | 'parallel' | 'bottleneck';
  /** Blocks without `ffn_norm` run attention and feed-forward part in parallel. */
  readonly parallelWithoutSecondNorm?: boolean;
  readonly activation: Activation;
  /** Rotary position embedding turns `pairs` of neighbours, or element i of one half with that of the other. */
  readonly rope?: 'pairs' | 'halves';
  /** Embeddings are multiplied by √C. */
  readonly scaledEmbedding?: boolean;
  /** Weights of the chosen experts are divided by their sum. */
  readonly normalizedExperts?: boolean;
  /** Of so many blocks, all but the last attend to a window; every block does, when left out. */
  readonly windowPeriod?: number;
  /** Rotary base of blocks with a window, which then have no rope scaling. */
  readonly windowRopeBase?: number;
  /** Values that llama.cpp assumes where the file does not say. */
  readonly assumed?: Readonly<Record<string, number>>;
  /** Models of so many blocks scale scores by 1 / √(C / H) instead of 1 / √D. */
  readonly widthScaledBlocks?: number;
}

const llamaLike = {
  kind: 'decoder',
  norm: 'rms',
  norms: 'before',
  activation: 'silu',
  rope: 'halves',
} as const;
const gemmaLike = { ...llamaLike, activation: 'geluTanh', scaledEmbedding: true } as const;
const bertLike = { kind: 'encoder', norm: 'layer', norms: 'after', activation: 'gelu' } as const;

/**
 * Every GGUF architecture that Pith can run itself.
 *
 * @see src/models/*.cpp of llama.cpp v0.5.0, and the modeling files of transformers 4.57 where the two
 *   differ: Mistral's and Phi-3's windows, BERT's exact GELU.
 */
export const architectures: Readonly<Record<string, Architecture>> = {
  llama: { ...llamaLike, rope: 'pairs', normalizedExperts: true },
  qwen2: llamaLike,
  qwen2moe: { ...llamaLike, normalizedExperts: false },
  qwen3: llamaLike,
  qwen3moe: { ...llamaLike, normalizedExperts: true },
  phi2: { ...llamaLike, norm: 'layer', norms: 'parallel', activation: 'geluTanh' },
  phi3: llamaLike,
  gemma: gemmaLike,
  gemma2: {
    ...gemmaLike,
    norms: 'bothSides',
    windowPeriod: 2,
    assumed: {
      'attention.sliding_window': 4096,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
    },
    widthScaledBlocks: 46,
  },
  gemma3: {
    ...gemmaLike,
    norms: 'bothSides',
    windowPeriod: 6,
    windowRopeBase: 10000,
    widthScaledBlocks: 62,
  },
  stablelm: { ...llamaLike, norm: 'layer', parallelWithoutSecondNorm: true },
  gpt2: { kind: 'decoder', norm: 'layer', norms: 'before', activation: 'geluTanh' },
  bert: bertLike,
  mobilebert: { ...bertLike, norm: 'none', norms: 'bottleneck', activation: 'relu' },
};

/**
 * The row of an architecture.
 *
 * @throws PithError `unsupported` with the architectures there are.
 */
export function architectureOf(name: string, kind: Architecture['kind']): Architecture {
  const names = Object.keys(architectures).filter((known) => architectures[known]!.kind === kind);
  if (names.includes(name)) return architectures[name]!;
  const nearest = nearestName(name, names);
  throw new PithError(
    'unsupported',
    `Pith cannot run the GGUF architecture ${JSON.stringify(name)} as ${kind === 'decoder' ? 'a decoder' : 'an encoder'} itself; ` +
      `it can run ${names.join(', ')}.`,
    `${nearest ? `The nearest is ${nearest}. ` : ''}llama.cpp may know it: use --engine llama.`,
  );
}
