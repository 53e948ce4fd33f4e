import golden from '../../../test/golden/text-vectors.json' with { type: 'json' };
import wordPiece from '../../../test/golden/tokenizer/word-piece.json' with { type: 'json' };
import { loadTokenizer, type TextTokenizer } from '../../data/tokenizer.ts';
import { meta } from '../../formats/gguf/metadata.ts';
import { goldenModel, type GoldenModel } from '../../models/graph/golden.cases.ts';
import type { Model } from '../../models/model.ts';

/** Vectors of texts by transformers; made by interop/text-vectors.py. */
export interface GoldenVectors {
  readonly source: string;
  /** Tokens after which texts are cut. */
  readonly length: number;
  readonly texts: readonly string[];
  /** Tokens of each text. */
  readonly tokens: readonly number[];
  /** Texts that were cut. */
  readonly cut: number;
  readonly encoders: readonly GoldenEncoder[];
}

/** A small random encoder and its vector of each text. */
export interface GoldenEncoder extends GoldenModel {
  readonly pooling: 'mean' | 'first';
  readonly vectors: readonly (readonly number[])[];
}

export const vectors = golden as unknown as GoldenVectors;

/** WordPiece of 700 tokens, from its tokenizer.json. */
export const tokenizer: TextTokenizer = loadTokenizer(
  new Map([['tokenizer.json', new TextEncoder().encode(JSON.stringify(wordPiece.tokenizer))]]),
);

/** The model, with the keys that its folder's tokenizer and sentence-transformers files would give. */
export function goldenEncoder(encoder: GoldenEncoder): Model {
  const model = goldenModel(encoder);
  const metadata = new Map(model.metadata)
    .set('tokenizer.ggml.cls_token_id', meta.uint32(2))
    .set('tokenizer.ggml.seperator_token_id', meta.uint32(3))
    .set(`${model.architecture}.pooling_type`, meta.uint32(encoder.pooling === 'mean' ? 1 : 2));
  return { ...model, metadata };
}
