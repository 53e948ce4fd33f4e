import process from 'node:process';
import { PithError } from '../util/errors.ts';
import type { TrialAnswer, TrialTask, TriedText } from './llama-trial.ts';
import { openLlama, openLlamaVocabulary, type Generation } from './llama.ts';

// Entry of the process in which llama.cpp meets a file for the first time. It ends with its answer,
// without closing anything: what the system takes back needs no care.

async function tryTexts(path: string, texts: readonly string[]): Promise<readonly TriedText[]> {
  const vocabulary = await openLlamaVocabulary(path);
  return texts.map((text) => {
    const tokens = vocabulary.tokenize(text, false);
    return { tokens, text: vocabulary.detokenize(tokens, true) };
  });
}

/** On one thread: the same tokens on every machine of a kind. */
async function tryGeneration(path: string, maxTokens: number): Promise<Generation> {
  const engine = await openLlama(path, { threads: 1 });
  const prompt = [engine.bosToken ?? engine.tokenize('The', false)[0] ?? 0];
  return engine.generate(prompt, { maxTokens, temperature: 0 });
}

async function answer(task: TrialTask): Promise<TrialAnswer> {
  try {
    const { kind, path } = task;
    const value =
      kind === 'texts' ? tryTexts(path, task.texts) : tryGeneration(path, task.maxTokens);
    return { value: await value };
  } catch (error) {
    const { message } = error as Error;
    if (!(error instanceof PithError))
      return { error: { code: 'engine', message, hint: undefined } };
    return { error: { code: error.code, message, hint: error.hint } };
  }
}

process.once('disconnect', () => process.exit());
process.once('message', (task) => {
  void answer(task as TrialTask).then((given) => process.send?.(given, () => process.exit()));
});
