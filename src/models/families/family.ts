import type { z } from 'zod';
import type { MetadataValue } from '../../formats/gguf/metadata.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { FieldName, ModelConfig } from './model-config.ts';

/**
 * Sizes that tensor shapes are told in: C width, H heads, K key/value heads, D head width, F
 * feed-forward width, V vocabulary, P positions. Only some families have E experts, X an expert's
 * and S the shared expert's feed-forward width, T token types; MobileBERT has A token embedding
 * width, B bottleneck, N feed-forward parts besides the last.
 */
export type Size =
  | 'C'
  | 'D'
  | 'H'
  | 'K'
  | 'H*D'
  | 'K*D'
  | '(H+2*K)*D'
  | 'F'
  | '2*F'
  | 'V'
  | 'P'
  | 'E'
  | 'X'
  | 'S'
  | 'T'
  | 'A'
  | '3*A'
  | 'B'
  | 'N'
  | '1';

/** Fields of config.json that only some families have, with their checks. */
export type OwnFields = Readonly<Record<string, z.ZodType>>;

/** The checked configuration of a family with such fields. */
export type ConfigOf<Own extends OwnFields> = ModelConfig & {
  readonly [Name in keyof Own]: z.infer<Own[Name]>;
};

/** A GGUF key, without the architecture unless it begins with `tokenizer.`, and its value. */
export type Key = readonly [key: string, value: MetadataValue];

/**
 * One tensor of a family. `{layer}`, or a size in braces, in both names makes one tensor for each
 * number; a size in braces in `from` alone stacks them into one tensor with one more dimension.
 */
export interface TensorRule<Config extends ModelConfig = ModelConfig> {
  readonly from: string;
  readonly to: string;
  /** As the checkpoint stores it. */
  readonly shape: readonly Size[];
  /** What the two sides do differently, for example the order of rows. */
  readonly view?: (tensor: Tensor, config: ModelConfig) => Tensor;
  /** Whether a model with this configuration has the tensor; always, when left out. */
  when?(config: Config): boolean;
}

/**
 * How the models of one `model_type` on Hugging Face become GGUF: names, shapes and what the two
 * sides do differently, as data. To add a family, write one such file and list it in `index.ts`.
 *
 * What is left out is as in Llama: RMS norms, rotary positions in whole heads, silu.
 */
export interface Family<Config extends ModelConfig = ModelConfig> {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** GGUF `general.architecture`. */
  readonly architecture: string;
  readonly tensors: readonly TensorRule<Config>[];
  /** Fields of config.json that the family adds. */
  readonly own?: OwnFields;
  /** What config.json calls a field, where not as in Llama. */
  readonly names?: Readonly<Partial<Record<FieldName, string>>>;
  /** Values of fields that config.json may leave out, as transformers assumes them. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** `hidden_act` that the architecture computes. */
  readonly activations?: readonly string[];
  /** The field of the width that heads share, where it is not the model's. */
  readonly attentionWidth?: string;
  readonly norm?: 'layer';
  readonly positions?: 'learned';
  /** Whether the architecture can rotate a part of each head (`partial_rotary_factor`). */
  readonly partialRotary?: boolean;
  /** The rope scaling for which llama.cpp reads factors from a tensor of this architecture. */
  readonly ropeFactors?: 'llama3' | 'longrope';
  /** Sizes that shapes name and only this family has. */
  sizes?(config: Config): Partial<Record<Size, number>>;
  /** Keys beyond those that every family has. */
  keys?(config: Config): readonly Key[];
  /** The name that `tensors` uses for a tensor of a checkpoint. */
  storedName?(name: string): string;
  /** Tensors that the architecture has no place for and that its output does not need. */
  readonly ignored?: RegExp;
  /** What of this configuration the architecture cannot express, if anything. */
  unsupported?(config: Config): string | undefined;
  /** What a user should know about a model of this family. */
  notes?(config: Config): readonly string[];
}
