import process from 'node:process';
import { PithError } from '../util/errors.ts';
import type { LlamaTrial, LlamaTrialTask, TrialMessage, TriedText } from './llama-trial.ts';
import { openLlama, openLlamaVocabulary, type Generation } from './llama.ts';

// Entry of the process in which `tryLlama` lets llama.cpp meet a file.

async function tryTexts({ path, texts }: LlamaTrialTask): Promise<readonly TriedText[]> {
  const vocabulary = await openLlamaVocabulary(path);
  try {
    return texts.map((text) => {
      const tokens = vocabulary.tokenize(text, false);
      return { tokens, text: vocabulary.detokenize(tokens, true) };
    });
  } finally {
    await vocabulary.close();
  }
}

/** On one thread: the same tokens on every machine of a kind. */
async function tryGeneration({ path, maxTokens }: LlamaTrialTask): Promise<Generation> {
  const engine = await openLlama(path, { threads: 1 });
  try {
    const prompt = [engine.bosToken ?? engine.tokenize('The', false)[0] ?? 0];
    return await engine.generate(prompt, { maxTokens, temperature: 0 });
  } finally {
    await engine.close();
  }
}

async function answer(part: keyof LlamaTrial, run: () => Promise<unknown>): Promise<void> {
  try {
    tell({ part, value: await run() } as TrialMessage);
  } catch (error) {
    const { message } = error as Error;
    const { code, hint } = error instanceof PithError ? error : { code: 'engine', hint: undefined };
    tell({ part, error: { code, message, hint } } as TrialMessage);
  }
}

function tell(message: TrialMessage): void {
  process.send?.(message);
}

process.once('disconnect', () => process.exit());
process.once('message', (received) => {
  const task = received as LlamaTrialTask;
  void answer('texts', () => tryTexts(task))
    .then(() => (task.maxTokens > 0 ? answer('generation', () => tryGeneration(task)) : undefined))
    .then(() => process.disconnect());
});
