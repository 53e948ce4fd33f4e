import { chatFormat, type ChatTurn } from '../data/chat-prompt.ts';
import type { GenerateOptions, Generation, LlamaEngine } from '../runtime/llama.ts';
import { PithError } from '../util/errors.ts';

/** A dialogue that keeps what was said so far. */
export interface Conversation {
  /** Every turn so far, answers that were stopped early included. */
  readonly messages: readonly ChatTurn[];
  /**
   * Adds a turn and lets the model answer.
   *
   * @throws PithError `usage` when the conversation no longer fits the context; the turn is then not
   * part of it.
   */
  say(text: string, options: GenerateOptions): Promise<Generation>;
  /** Forgets everything but the system message. */
  clear(): void;
}

/**
 * Starts a conversation in the model's own chat template.
 *
 * A text model has none: what is said is then put after what was said before, and continued.
 *
 * @throws PithError `unsupported` for a template that does not render; `usage` for a system message
 * to a text model.
 */
export function startConversation(engine: LlamaEngine, system: string | undefined): Conversation {
  const { chatTemplate } = engine;
  if (chatTemplate !== undefined) return chatConversation(engine, chatTemplate, system);
  if (system === undefined) return textConversation(engine);
  throw new PithError(
    'usage',
    'The model has no chat template, so there is no place for a system message.',
    'Leave --system away, or write its text into your first line.',
  );
}

function chatConversation(
  engine: LlamaEngine,
  template: string,
  system: string | undefined,
): Conversation {
  const format = chatFormat(template, engine);
  const opening: readonly ChatTurn[] =
    system === undefined ? [] : [{ role: 'system', text: system }];
  const messages = [...opening];
  return {
    messages,
    async say(text, options) {
      const asked: ChatTurn = { role: 'user', text };
      const generation = await generate(engine, format.promptTokens([...messages, asked]), {
        ...options,
        stopTokens: format.stopTokens,
        stopTexts: format.stopTexts,
      });
      messages.push(asked, { role: 'assistant', text: generation.text });
      return generation;
    },
    clear() {
      messages.splice(0, messages.length, ...opening);
    },
  };
}

function textConversation(engine: LlamaEngine): Conversation {
  const messages: ChatTurn[] = [];
  let tokens: readonly number[] = [];
  return {
    messages,
    async say(text, options) {
      const begun = tokens.length === 0;
      const added = begun ? engine.promptTokens(text) : engine.tokenize(text, true);
      const prompt = [...tokens, ...added];
      const generation = await generate(engine, prompt, options);
      tokens = [...prompt, ...generation.tokens];
      messages.push({ role: 'user', text }, { role: 'assistant', text: generation.text });
      return generation;
    },
    clear() {
      messages.length = 0;
      tokens = [];
    },
  };
}

async function generate(
  engine: LlamaEngine,
  prompt: readonly number[],
  options: GenerateOptions,
): Promise<Generation> {
  if (prompt.length >= engine.contextLength) {
    throw new PithError(
      'usage',
      `The conversation has ${prompt.length} tokens now; the context holds ` +
        `${engine.contextLength}, and the answer needs at least one.`,
      'Begin again with /clear, or start with a larger --context.',
    );
  }
  return engine.generate(prompt, { ...options, reusePrefix: true });
}
