import { Template } from '@huggingface/jinja';
import { PithError } from '../util/errors.ts';

/** One turn of a conversation. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly text: string;
}

/** What a chat template may name: the texts of the model's own special tokens. */
export interface TemplateTokens {
  readonly bosText: string;
  readonly eosText: string;
}

/** Renders a conversation up to where the model's next turn begins. */
export type RenderChat = (messages: readonly ChatMessage[]) => string;

/**
 * Prepares a model's own Jinja chat template.
 *
 * Renders as `apply_chat_template(add_generation_prompt=True)` of Hugging Face transformers, which
 * the models were trained with. Equal to Python's jinja2 3.1.6 on the 59 templates that both render of
 * the 70 in llama.cpp v0.5.0's models/templates; three more render in jinja2 alone.
 *
 * @throws PithError `unsupported` when the template does not parse; the renderer throws it when the
 * template refuses the conversation, with the template's own words.
 */
export function chatRenderer(template: string, tokens: TemplateTokens): RenderChat {
  const parsed = attemptTo('parse', () => new Template(template));
  return (messages) =>
    attemptTo('render', () =>
      parsed.render({
        messages: messages.map(({ role, text }) => ({ role, content: text })),
        add_generation_prompt: true,
        bos_token: tokens.bosText,
        eos_token: tokens.eosText,
        tools: null,
        documents: null,
      }),
    );
}

function attemptTo<T>(verb: 'parse' | 'render', action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new PithError(
      'unsupported',
      `The model's chat template does not ${verb}: ${(error as Error).message}`,
      'Use the model without its template: pith run MODEL -p "your text"',
      { cause: error },
    );
  }
}

/**
 * What the template writes between an answer and the next message: the text that ends the model's
 * turn, for models whose turns do not end in an end-of-generation token. Empty when the template
 * does not show the two texts it is tried with.
 */
export function turnSeparator(render: RenderChat): string {
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
