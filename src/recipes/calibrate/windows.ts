import { createHash } from 'node:crypto';
import { renderChat, type ChatMessage } from '../../data/chat-template.ts';
import { joinTokens } from '../../data/token-windows.ts';
import { openingToken, tokensOf } from '../../evaluate/vocabulary.ts';
import type { Model } from '../../models/model.ts';
import { openTokenizer } from '../evaluate/tokenizer.ts';
import type { CalibrateRequest } from './request.ts';
import { readCalibrationTexts, type RenderChat } from './text.ts';

/** Text ready for a model. */
export interface CalibrationWindows {
  readonly windows: readonly Int32Array[];
  readonly documents: number;
  readonly datasets: readonly string[];
  readonly notes: readonly string[];
}

/** Reads texts, renders conversations as the model wants them, and cuts all into windows. */
export async function calibrationWindows(
  { model: reference, data = [], maxTokens }: CalibrateRequest,
  model: Model,
  length: number,
): Promise<CalibrationWindows> {
  const { documents, datasets, notes } = await readCalibrationTexts(data, chatOf(model));
  const tokenizer = await openTokenizer([reference], model);
  try {
    const encoded = (function* () {
      for (const text of documents) yield tokenizer.encode(text);
    })();
    const separator = tokenId(model, 'eos');
    const options = { length, bos: tokenizer.bos, separator, maxTokens };
    const windows = joinTokens(encoded, options);
    return { windows, documents: documents.length, datasets, notes };
  } finally {
    await tokenizer.close();
  }
}

/** SHA-256 of the tokens. */
export function windowsHash(windows: readonly Int32Array[]): string {
  const hash = createHash('sha256');
  for (const { buffer } of windows) hash.update(new Uint8Array(buffer));
  return hash.digest('hex');
}

function chatOf(model: Model): RenderChat {
  const template = model.metadata.get('tokenizer.chat_template');
  if (template?.type !== 'string') return undefined;
  const tokens = tokensOf(model);
  const textOf = (id: number | undefined) => (id === undefined ? '' : (tokens[id] ?? ''));
  const options = {
    bosToken: textOf(openingToken(model) ?? tokenId(model, 'bos')),
    eosToken: textOf(tokenId(model, 'eos')),
    // A template may tell the date, and evidence is to be the same tomorrow.
    date: new Date(2026, 0, 1),
  };
  return (messages: readonly ChatMessage[]) => renderChat(template.value, messages, options);
}

function tokenId({ metadata }: Model, kind: 'bos' | 'eos'): number | undefined {
  const id = metadata.get(`tokenizer.ggml.${kind}_token_id`)?.value;
  return typeof id === 'number' ? id : undefined;
}
