import { chatRenderer, turnSeparator, type ChatMessage, type RenderChat } from './chat-template.ts';

/** The tokenizer of the model that chats. */
export interface ChatVocabulary {
  readonly bosToken: number | undefined;
  readonly eosToken: number | undefined;
  /** With `special`, text such as `<|im_end|>` becomes that special token. */
  tokenize(text: string, special: boolean): number[];
  /** As `tokenize` with `special`, and the BOS token first where the model wants it. */
  promptTokens(text: string): number[];
  detokenize(tokens: readonly number[], special?: boolean): string;
}

/** Makes prompts of conversations, and knows what ends the model's turn. */
export interface ChatFormat {
  /** What ends a turn beside the model's end-of-generation tokens. */
  readonly stopTokens: ReadonlySet<number>;
  readonly stopTexts: readonly string[];
  promptTokens(messages: readonly ChatMessage[]): number[];
}

/**
 * Joins a model's chat template and tokenizer.
 *
 * The rendered conversation becomes tokens as a whole, as in training. A message that contains the
 * text of a special token, such as `<|im_end|>`, becomes tokens by itself, as plain text: it cannot
 * end its turn or speak for another role.
 *
 * @throws PithError as `chatRenderer` does.
 */
export function chatFormat(template: string, vocabulary: ChatVocabulary): ChatFormat {
  const textOf = (token: number | undefined) =>
    token === undefined ? '' : vocabulary.detokenize([token], true);
  const render = chatRenderer(template, {
    bosText: textOf(vocabulary.bosToken),
    eosText: textOf(vocabulary.eosToken),
  });
  return {
    ...stopsOf(turnSeparator(render), vocabulary),
    promptTokens: (messages) => conversationTokens(render, messages, vocabulary),
  };
}

/** A separator with a special token in it stops there; one of plain text stops as text. */
function stopsOf(
  separator: string,
  vocabulary: ChatVocabulary,
): Pick<ChatFormat, 'stopTokens' | 'stopTexts'> {
  const special = vocabulary
    .tokenize(separator, true)
    .find((token) => vocabulary.detokenize([token], false) === '');
  if (special !== undefined) return { stopTokens: new Set([special]), stopTexts: [] };
  const text = separator.trimEnd();
  return { stopTokens: new Set(), stopTexts: text === '' ? [] : [text] };
}

function conversationTokens(
  render: RenderChat,
  messages: readonly ChatMessage[],
  vocabulary: ChatVocabulary,
): number[] {
  const plain = new Map<string, string>();
  const marked = messages.map((message, index) => {
    if (!holdsSpecialToken(message.text, vocabulary)) return message;
    const mark = unusedMark(index, messages);
    plain.set(mark, message.text);
    return { ...message, text: mark };
  });
  const rendered = render(marked);
  if (plain.size === 0) return vocabulary.promptTokens(rendered);
  const [first = '', ...parts] = rendered.split(new RegExp(`(${[...plain.keys()].join('|')})`));
  const tokens = vocabulary.promptTokens(first);
  for (const part of parts) {
    const text = plain.get(part);
    tokens.push(...vocabulary.tokenize(text ?? part, text === undefined));
  }
  return tokens;
}

function holdsSpecialToken(text: string, vocabulary: ChatVocabulary): boolean {
  const plain = vocabulary.tokenize(text, false);
  const special = vocabulary.tokenize(text, true);
  return plain.length !== special.length || plain.some((token, index) => token !== special[index]);
}

/** A word that occurs in none of the messages. */
function unusedMark(index: number, messages: readonly ChatMessage[]): string {
  let mark = `Q${index}mark`;
  while (messages.some(({ text }) => text.includes(mark))) mark += 'x';
  return `${mark}Q`;
}
