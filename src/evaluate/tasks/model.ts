import type { TokenScorer } from '../scorer.ts';

/** How a model is to write an answer: greedily, until one of some texts or so many tokens. */
export interface GenerateOptions {
  readonly until: readonly string[];
  readonly maxTokens: number;
  readonly signal?: AbortSignal;
}

/** What a model wrote, without the text that ended it. */
export interface WrittenText {
  readonly text: string;
  /** Whether the prompt was cut on the left, to leave room for the answer. */
  readonly truncated: boolean;
}

/** What of a model a task needs; which, depends on its output type. */
export interface TaskModel {
  /** Tokens of a text, nothing added. */
  readonly tokenizer: { encode(text: string): readonly number[] };
  /** Stands before a text without context: bos, or eos for models that have none. */
  readonly prefixToken: number;
  /** Whether `prefixToken` stands before other texts too, as the tokenizer's settings say. */
  readonly addPrefix: boolean;
  /** For multiple choice and log-likelihood. */
  readonly scorer?: TokenScorer;
  /** For generation: what the model writes after a prompt. */
  readonly generate?: (prompt: string, options: GenerateOptions) => Promise<WrittenText>;
  /** For retrieval: vectors of texts, in order; cosines compare them. */
  readonly embed?: (
    texts: readonly string[],
    kind: 'query' | 'document',
    signal?: AbortSignal,
  ) => Promise<readonly Float32Array[]>;
}
