import type { Metadata } from '../formats/gguf/metadata.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * A language model as a lazy value: GGUF names and keys inside, whatever file it came from.
 *
 * `metadata` holds every GGUF key (architecture, hyper-parameters, tokenizer, chat template);
 * `tensors` are in file order and read their bytes on demand. A technique is a function that
 * returns a new `Model` over the same bytes. `close` releases the files underneath.
 */
export interface Model {
  /** Where it came from, for messages. */
  readonly source: string;
  /** Paths of the files that its weights are read from; none when they lie elsewhere. */
  readonly files: readonly string[];
  /** GGUF `general.architecture`. */
  readonly architecture: string;
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Facts a user should know: assumptions made, inputs ignored. Never empty in silence. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}
