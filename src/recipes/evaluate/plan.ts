import { requireSameVocabulary, tokensOf } from '../../evaluate/vocabulary.ts';
import { checkVocabulary, cutWindows, type Windows } from '../../evaluate/windows.ts';
import type { Model } from '../../models/model.ts';
import { openModel } from '../../models/open.ts';
import { makeWritableFolder } from '../../storage/folder.ts';
import type { OnProgress } from '../../util/progress.ts';
import { cacheFolder, contextOf } from './defaults.ts';
import type { EvaluateRequest } from './request.ts';
import type { SessionOptions } from './in-session.ts';
import type { MeasurementPlan } from './measurement.ts';
import { readTexts } from './text.ts';
import { openTokenizer } from './tokenizer.ts';

/** An evaluation that is ready to compute. */
export interface PlannedEvaluation {
  readonly plan: MeasurementPlan;
  readonly context: number;
  readonly stride: number;
  readonly notes: readonly string[];
}

/** Reads models' headers and texts, cuts the windows and checks that everything fits together. */
export async function planEvaluation(
  request: EvaluateRequest,
  options: SessionOptions,
): Promise<PlannedEvaluation> {
  const model = await openModel(request.model);
  try {
    const against = request.against === undefined ? undefined : await openModel(request.against);
    try {
      return await planModels(request, options, { model, against });
    } finally {
      await against?.close();
    }
  } finally {
    await model.close();
  }
}

interface Models {
  readonly model: Model;
  readonly against: Model | undefined;
}

async function planModels(
  request: EvaluateRequest,
  options: SessionOptions,
  { model, against }: Models,
): Promise<PlannedEvaluation> {
  if (against) requireSameVocabulary(model, against);
  const context = contextOf(request, [model, ...(against ? [against] : [])]);
  const stride = request.stride ?? Math.max(1, Math.floor(context / 2));
  const texts = await readTexts(request.data);
  const text = await cut(request, model, { context, stride, documents: texts.documents });
  const vocabularies = [model, ...(against ? [against] : [])].map(vocabularyOf);
  for (const owner of vocabularies) checkVocabulary(text, owner);
  const { onProgress, signal, threads, session, cache = cacheFolder() } = options;
  await makeWritableFolder(cache);
  const hashing = { onProgress, signal };
  return {
    context,
    stride,
    notes: [...texts.notes, ...text.notes],
    plan: {
      model: { reference: request.model, hash: await session.hashOf(model, hashing) },
      ...(against && {
        against: { reference: request.against!, hash: await session.hashOf(against, hashing) },
      }),
      text,
      vocabulary: Math.max(...vocabularies.map(({ vocabulary }) => vocabulary)),
      contextLength: context,
      session,
      cache,
      threads,
      signal,
      onProgress,
      ...(onProgress && { onWindow: progressOver(text, onProgress) }),
    },
  };
}

async function cut(
  { model: reference, against, maxTokens }: EvaluateRequest,
  model: Model,
  {
    documents,
    ...window
  }: Parameters<typeof cutWindows>[2] & {
    readonly documents: Parameters<typeof cutWindows>[0];
  },
): Promise<Windows> {
  const references = against === undefined ? [reference] : [against, reference];
  const tokenizer = await openTokenizer(references, model);
  try {
    const options = maxTokens === undefined ? window : { ...window, maxTokens };
    return cutWindows(documents, tokenizer, options);
  } finally {
    await tokenizer.close();
  }
}

/** Embeddings may have more rows than the tokenizer has tokens. */
function vocabularyOf(model: Model): { readonly vocabulary: number; readonly source: string } {
  const rows = model.tensors.get('token_embd.weight')?.shape[0];
  return { vocabulary: rows ?? tokensOf(model).length, source: model.source };
}

/** Turns windows of a pass into scored tokens. */
function progressOver(
  { windows, tokens }: Windows,
  onProgress: OnProgress,
): (label: string, done: number) => void {
  const reached = [0];
  for (const window of windows) {
    reached.push(reached.at(-1)! + window.tokens.length - window.first);
  }
  return (label, done) =>
    onProgress({ label, done: reached[done]!, total: tokens, unit: 'tokens' });
}
