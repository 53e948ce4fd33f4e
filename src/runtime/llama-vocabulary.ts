import type { LlamaModel, Token } from 'node-llama-cpp';
import type { Metadata } from '../formats/gguf/metadata.ts';

/** The tokenizer inside a GGUF file, as llama.cpp runs it. */
export interface LlamaVocabulary {
  /** The token that opens a document, when the file names one. */
  readonly bosToken: number | undefined;
  /** The token that closes a document, when the file names one. */
  readonly eosToken: number | undefined;
  /** Whether the file (or its tokenizer's kind, when it is silent) asks for `bosToken` first. */
  readonly addsBos: boolean;
  /** The Jinja chat template; undefined for a text model. */
  readonly chatTemplate: string | undefined;
  /** Tokens of prompt and answer together that the model was trained on. */
  readonly trainedContextLength: number;
  /** Tokens of a text; with `special`, text such as `<|endoftext|>` becomes that special token. */
  tokenize(text: string, special: boolean): number[];
  /** Text of tokens; with `special`, special tokens appear as their text, else as nothing. */
  detokenize(tokens: readonly number[], special?: boolean): string;
  /**
   * Tokens of a raw prompt: special tokens are recognised, and the BOS token comes first when `bos`
   * (default: `addsBos`) says so and the prompt does not begin with it already.
   *
   * @see llama.cpp's llama-completion, which differs: it doubles a BOS token that is already there.
   */
  promptTokens(text: string, bos?: boolean): number[];
  close(): Promise<void>;
}

export function vocabularyOf(
  model: LlamaModel,
  metadata: Metadata,
  close: () => Promise<void>,
): LlamaVocabulary {
  const bosToken = model.tokens.bos ?? undefined;
  const addsBos = model.tokens.shouldPrependBosToken;
  const template = metadata.get('tokenizer.chat_template');
  const tokenize = (text: string, special: boolean): number[] => model.tokenize(text, special);
  return {
    bosToken,
    eosToken: model.tokens.eos ?? undefined,
    addsBos,
    chatTemplate: template?.type === 'string' ? template.value : undefined,
    trainedContextLength: model.trainContextSize,
    tokenize,
    detokenize: (tokens, special = false) => model.detokenize(tokens as Token[], special),
    promptTokens(text, bos = addsBos) {
      const tokens = tokenize(text, true);
      return bos && bosToken !== undefined && tokens[0] !== bosToken
        ? [bosToken, ...tokens]
        : tokens;
    },
    close,
  };
}
