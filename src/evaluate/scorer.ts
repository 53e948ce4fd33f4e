/** Token ids that a model reads at once, and from where on they are scored. */
export interface TokenWindow {
  readonly tokens: Int32Array;
  /** Index of the first scored token, at least 1: the first token of a text has no prediction. */
  readonly first: number;
}

/** What to keep of each predicted distribution, besides the scored token's own probability. */
export interface ScoreOptions {
  /** The k most likely tokens of every scored position. */
  readonly top?: number;
  /** Tokens whose probabilities are asked for: `[scored, k]` ids. */
  readonly at?: Int32Array;
  readonly signal?: AbortSignal;
}

/** Natural-log probabilities of the n = tokens.length − first scored positions of one window. */
export interface WindowScores {
  /** `[n]`: of the tokens that stand there. */
  readonly logProbs: Float32Array;
  /** `[n]`: the most likely token. */
  readonly best: Int32Array;
  /** `[n, k]`, the most likely first. */
  readonly top?: { readonly ids: Int32Array; readonly logProbs: Float32Array };
  /** `[n, k]`: of the tokens of `ScoreOptions.at`. */
  readonly at?: Float32Array;
}

/**
 * A language model that says how likely tokens are; one implementation an engine.
 *
 * The same windows give the same scores. NaN logits throw `not-finite` and name the first block that
 * makes them where the engine can tell.
 */
export interface TokenScorer {
  /** `onnx`: dequantized weights on ONNX Runtime; `llama`: the file as it runs in llama.cpp. */
  readonly engine: 'onnx' | 'llama';
  /** What computes: `cpu`, `cuda` ... */
  readonly device: string;
  readonly vocabulary: number;
  /** Tokens of the longest window. */
  readonly contextLength: number;
  /** Windows that are best being scored at once: they share runs, or passes over the weights. */
  readonly windowsAtOnce?: number;
  score(window: TokenWindow, options?: ScoreOptions): Promise<WindowScores>;
  close(): Promise<void>;
}
