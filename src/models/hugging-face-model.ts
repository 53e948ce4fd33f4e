import { z } from 'zod';
import type { Metadata } from '../formats/gguf/metadata.ts';
import type { TokenizerFiles } from '../formats/tokenizer/files.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { decodeModel } from './families/decode-model.ts';
import { familyOf } from './families/index.ts';
import { generalKeys, type ModelCard } from './general-keys.ts';
import type { Model } from './model.ts';
import { poolingKeys } from './sentence-pooling.ts';

const text = z.string().optional().catch(undefined);
const headSchema = z.object({ model_type: text, _name_or_path: text }).catch({});

/** The parts of a Hugging Face checkpoint, read from wherever it lies. */
export interface HuggingFaceParts {
  readonly source: string;
  /** Paths of the files that hold the tensors. */
  readonly files: readonly string[];
  /** Parsed config.json. */
  readonly config: unknown;
  /** By their names in the checkpoint. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** GGUF's `tokenizer.*` keys. */
  readonly vocabulary: Metadata;
  readonly card: ModelCard;
  /** The folder's small files, for what sentence-transformers adds to a model. */
  readonly smallFiles: TokenizerFiles;
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/**
 * A Hugging Face checkpoint as a `Model`: GGUF names and keys over the same bytes.
 *
 * @throws {@link PithError} `unsupported` for a `model_type` that Pith does not know, and whatever
 *   {@link decodeModel} throws for this family.
 */
export function huggingFaceModel(parts: HuggingFaceParts): Model {
  const { config, source, files, card } = parts;
  const { model_type: modelType, _name_or_path: hubName } = headSchema.parse(config);
  const family = familyOf(modelType);
  const decoded = decodeModel(family, config, parts.tensors);
  const general = generalKeys(family.architecture, hubName, card, decoded.tensors.values());
  const pooling = poolingKeys(family.architecture, parts.smallFiles);
  return {
    source,
    files,
    architecture: family.architecture,
    metadata: new Map([...general, ...decoded.keys, ...pooling, ...parts.vocabulary]),
    tensors: decoded.tensors,
    notes: [...parts.notes, ...decoded.notes],
    close: () => parts.close(),
  };
}
