import { answerParent } from './ask-child.ts';
import { importLlama } from './llama-library.ts';
import type { Continuation, TrialTask, TriedText } from './llama-trial.ts';
import { openLlama, openLlamaVocabulary, type Generation, type LlamaEngine } from './llama.ts';

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

async function tryContinuation(
  path: string,
  prompt: string,
  maxTokens: number,
): Promise<Continuation> {
  const engine = await openLlama(path, { threads: 1 });
  const start = engine.promptTokens(prompt);
  const { tokens } = await engine.generate(start, { maxTokens, temperature: 0 });
  const version = await (await importLlama()).getModuleVersion();
  return { tokens: textOfEach(engine, start, tokens), version };
}

/** Text that each token adds to what stands before it; a cut character goes to the token that ends it. */
function textOfEach(
  engine: LlamaEngine,
  start: readonly number[],
  tokens: readonly number[],
): string[] {
  let before = engine.detokenize(start).length;
  return tokens.map((_, at) => {
    const text = engine.detokenize([...start, ...tokens.slice(0, at + 1)]);
    const added = text.slice(before);
    const isCut = added.endsWith('\ufffd') && at < tokens.length - 1;
    if (!isCut) before = text.length;
    return isCut ? '' : added;
  });
}

answerParent((task: TrialTask) => {
  const { kind, path } = task;
  if (kind === 'texts') return tryTexts(path, task.texts);
  if (kind === 'generation') return tryGeneration(path, task.maxTokens);
  return tryContinuation(path, task.prompt, task.maxTokens);
});
