import type { DecoderConfig } from './decoder-config.ts';

/**
 * Sizes that tensor shapes are told in: C width, H heads, K key/value heads, D head width, F
 * feed-forward width, V vocabulary.
 */
export type SizeName = 'C' | 'D' | 'H*D' | 'K*D' | 'F' | 'V';

/** How the rows of a query or key matrix are ordered within a head, where the two sides differ. */
export type RowOrder = 'rotaryHalves' | undefined;

/** One tensor of a family; `{layer}` in both names stands for the number of a layer. */
export interface TensorRule {
  readonly from: string;
  readonly to: string;
  readonly shape: readonly SizeName[];
  /**
   * `rotaryHalves`: Hugging Face keeps the first half of a head's rotary pairs before the second
   * half, GGUF wants each pair side by side.
   */
  readonly rows?: RowOrder;
  /** Whether a model with this configuration has the tensor; always, when left out. */
  readonly when?: (config: DecoderConfig) => boolean;
}

/**
 * How the models of one `model_type` on Hugging Face become GGUF: names, shapes and what the two
 * sides do differently, as data. To add a family, write one such file and list it in `index.ts`.
 */
export interface Family {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** GGUF `general.architecture`. */
  readonly architecture: string;
  readonly tensors: readonly TensorRule[];
  /** Whether llama.cpp reads `rope_freqs.weight` for this architecture (llama3 rope scaling). */
  readonly ropeFactors: boolean;
  /** What a user should know about a model of this family. */
  readonly notes?: (config: DecoderConfig) => readonly string[];
}

/** Tensors that checkpoints carry and no engine needs: they can be computed from the configuration. */
export const ignoredTensors: readonly RegExp[] = [/\.rotary_emb\.inv_freq$/];
