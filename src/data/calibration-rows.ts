import { PithError } from '../util/errors.ts';
import type { ChatMessage } from './chat-template.ts';

/** A row of a `.jsonl` file: plain text, or a conversation for the model's chat template. */
export type CalibrationRow =
  | { readonly text: string }
  | { readonly messages: readonly ChatMessage[] };

/**
 * Reads a row that has a string `text` or a list `messages` of `{ role, content }`.
 *
 * @param where - For messages: `rows.jsonl, line 3`.
 * @throws PithError `corrupt` for anything else.
 */
export function parseCalibrationRow(line: string, where: string): CalibrationRow {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (cause) {
    const problem = `${where}, is not JSON: ${(cause as Error).message}.`;
    throw new PithError('corrupt', problem, 'Write one JSON object a line.', { cause });
  }
  const { text, messages } = (typeof row === 'object' && row !== null ? row : {}) as {
    readonly text?: unknown;
    readonly messages?: unknown;
  };
  if (typeof text === 'string') return { text };
  if (Array.isArray(messages) && messages.length > 0 && messages.every(isMessage))
    return { messages };
  throw new PithError(
    'corrupt',
    `${where}, has neither a string "text" nor "messages" of role and content.`,
    'Every row needs one: {"text": "…"} or {"messages": [{"role": "user", "content": "…"}, …]}.',
  );
}

function isMessage(value: unknown): value is ChatMessage {
  const { role, content } = (typeof value === 'object' && value !== null ? value : {}) as {
    readonly role?: unknown;
    readonly content?: unknown;
  };
  return typeof role === 'string' && typeof content === 'string';
}
