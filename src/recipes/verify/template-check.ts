import { renderChat, type ChatMessage } from '../../data/chat-template.ts';
import { wrong } from './check.ts';

const conversation: readonly ChatMessage[] = [
  { role: 'user', content: 'Hello! 你好 👋' },
  { role: 'assistant', content: 'Hi.\nHow can I help?' },
  { role: 'user', content: 'Tell me a <|story|> about "quotes" & {{ braces }}.' },
];

/** A chat template with the special tokens that it may print. */
export interface TemplateOfModel {
  readonly template: string | undefined;
  readonly bosToken: string;
  readonly eosToken: string;
}

/**
 * Renders the same conversation with the file's chat template and the source's.
 *
 * @throws {@link PithError} `verify-failed` when one of them is missing or the texts differ.
 */
export function compareTemplates(file: TemplateOfModel, source: TemplateOfModel): string {
  if (file.template === undefined && source.template === undefined) {
    return 'a text model: it has no chat template';
  }
  if (file.template === undefined) throw wrong("the source's chat template is missing");
  if (source.template === undefined) throw wrong('the source has no chat template, the file has');
  const [actual, expected] = [render(file), render(source)];
  if (actual !== expected) {
    let at = 0;
    while (actual[at] === expected[at]) at++;
    throw wrong(`the rendered conversation differs from the source's at character ${at}`);
  }
  return `renders a conversation of 3 turns to the same ${expected.length} characters`;
}

/** Without a source: the template must render. */
export function renderTemplate(file: TemplateOfModel): string {
  if (file.template === undefined) return 'a text model: it has no chat template';
  return `renders a conversation of 3 turns to ${render(file).length} characters`;
}

function render({ template = '', bosToken, eosToken }: TemplateOfModel): string {
  return renderChat(template, conversation, { bosToken, eosToken, addGenerationPrompt: true });
}
