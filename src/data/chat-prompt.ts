import { renderChat } from './chat-template.ts';

/** One turn of a plain text conversation. */
export interface ChatTurn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly text: string;
}

/** Renders a conversation up to where the model's next turn begins. */
type RenderTurns = (turns: readonly ChatTurn[]) => string;

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
  promptTokens(messages: readonly ChatTurn[]): number[];
}

/**
 * Joins a model's chat template and tokenizer.
 *
 * The rendered conversation becomes tokens as a whole, as in training. A message that contains the
 * text of a special token, such as `<|im_end|>`, becomes tokens by itself, as plain text: it cannot
 * end its turn or speak for another role.
 *
 * @throws PithError as `renderChat` does.
 */
export function chatFormat(template: string, vocabulary: ChatVocabulary): ChatFormat {
  const textOf = (token: number | undefined) =>
    token === undefined ? '' : vocabulary.detokenize([token], true);
  const options = {
    bosToken: textOf(vocabulary.bosToken),
    eosToken: textOf(vocabulary.eosToken),
    addGenerationPrompt: true,
  };
  const render = (turns: readonly ChatTurn[]) => {
    const messages = turns.map(({ role, text }) => ({ role, content: text }));
    return renderChat(template, messages, options);
  };
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
  render: RenderTurns,
  messages: readonly ChatTurn[],
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
function unusedMark(index: number, messages: readonly ChatTurn[]): string {
  let mark = `Q${index}mark`;
  while (messages.some(({ text }) => text.includes(mark))) mark += 'x';
  return `${mark}Q`;
}

/**
 * What the template writes between an answer and the next message: the text that ends the model's
 * turn, for models whose turns do not end in an end-of-generation token. Empty when the template
 * does not show the two texts it is tried with.
 */
function turnSeparator(render: RenderTurns): string {
  const [answer, reply] = ['Qanswer', 'Qreply'];
  const text = render([
    { role: 'user', text: 'Qquestion' },
    { role: 'assistant', text: answer },
    { role: 'user', text: reply },
  ]);
  const start = text.lastIndexOf(answer) + answer.length;
  const end = text.lastIndexOf(reply);
  return start >= answer.length && end > start ? text.slice(start, end) : '';
}
