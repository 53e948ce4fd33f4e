import { PithError } from '../../util/errors.ts';
import { protobufFields, type ProtobufField } from './protobuf.ts';
import { tokenTypes } from './token-table.ts';

/** One piece; its id is its place. `type` is one of `tokenTypes`. */
export interface SentencePiece {
  readonly piece: string;
  readonly score: number;
  readonly type: number;
}

/** The parts of a SentencePiece ModelProto that decide how text becomes ids. */
export interface SentencePieceModel {
  readonly algorithm: 'unigram' | 'bpe';
  readonly pieces: readonly SentencePiece[];
  /** Negative when the model has no such token. */
  readonly specialIds: {
    readonly unk: number;
    readonly bos: number;
    readonly eos: number;
    readonly pad: number;
  };
  readonly byteFallback: boolean;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  /** Normalization rules compiled by SentencePiece; empty for `identity`. */
  readonly precompiledCharsmap: Uint8Array;
}

const algorithms: Record<number, 'unigram' | 'bpe'> = { 1: 'unigram', 2: 'bpe' };

/**
 * Parses a SentencePiece `tokenizer.model`.
 *
 * @throws {@link PithError} `corrupt` or `truncated` for anything that is not one; `unsupported`
 *   for the word and character algorithms.
 * @see https://github.com/google/sentencepiece/blob/v0.2.1/src/sentencepiece_model.proto
 * @remarks Checked against models trained with `sentencepiece` 0.2.3: test/golden/tokenizer.
 */
export function parseSentencePiece(bytes: Uint8Array): SentencePieceModel {
  const pieces: SentencePiece[] = [];
  let trainer = new Map<number, ProtobufField>();
  let normalizer = new Map<number, ProtobufField>();
  for (const field of protobufFields(bytes, 'tokenizer.model')) {
    if (!field.bytes) continue;
    if (field.number === 1) pieces.push(parsePiece(field.bytes, pieces.length));
    else if (field.number === 2) trainer = lastFields(field.bytes, 'trainer_spec');
    else if (field.number === 3) normalizer = lastFields(field.bytes, 'normalizer_spec');
  }
  if (pieces.length === 0)
    throw new PithError(
      'corrupt',
      `tokenizer.model holds no pieces (${bytes.length} bytes): it is not a SentencePiece model.`,
      'Download tokenizer.model again.',
    );
  return {
    algorithm: algorithmOf(number(trainer, 3, 1)),
    pieces,
    specialIds: {
      unk: number(trainer, 40, 0),
      bos: number(trainer, 41, 1),
      eos: number(trainer, 42, 2),
      pad: number(trainer, 43, -1),
    },
    byteFallback: number(trainer, 35, 0) !== 0,
    addDummyPrefix: number(normalizer, 3, 1) !== 0,
    removeExtraWhitespaces: number(normalizer, 4, 1) !== 0,
    precompiledCharsmap: normalizer.get(2)?.bytes ?? new Uint8Array(),
  };
}

type Fields = ReadonlyMap<number, ProtobufField>;

const number = (fields: Fields, id: number, fallback: number) => fields.get(id)?.value ?? fallback;

function algorithmOf(modelType: number): 'unigram' | 'bpe' {
  const algorithm = algorithms[modelType];
  if (algorithm) return algorithm;
  throw new PithError(
    'unsupported',
    `tokenizer.model has the model type ${modelType}; only 1 (Unigram) and 2 (BPE) have a GGUF form.`,
    'Convert a model with another tokenizer.',
  );
}

/** A scalar field that is repeated counts once, the last time. */
function lastFields(bytes: Uint8Array, what: string): Map<number, ProtobufField> {
  const fields = new Map<number, ProtobufField>();
  for (const field of protobufFields(bytes, `tokenizer.model ${what}`))
    fields.set(field.number, field);
  return fields;
}

function parsePiece(bytes: Uint8Array, id: number): SentencePiece {
  const fields = lastFields(bytes, `piece ${id}`);
  const score = fields.get(2)?.value ?? 0;
  const type = fields.get(3)?.value ?? tokenTypes.normal;
  if (!(type >= tokenTypes.normal && type <= tokenTypes.byte) || !Number.isFinite(score))
    throw new PithError(
      'corrupt',
      `tokenizer.model: piece ${id} has the type ${type} and the score ${score}.`,
      'Download tokenizer.model again.',
    );
  try {
    const piece = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      fields.get(1)?.bytes ?? new Uint8Array(),
    );
    return { piece, score, type };
  } catch (cause) {
    throw new PithError(
      'corrupt',
      `tokenizer.model: piece ${id} is not UTF-8 text.`,
      'Download tokenizer.model again.',
      { cause },
    );
  }
}
