import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLlama, openLlamaVocabulary, type LlamaEngine } from '../../src/runtime/llama.ts';
import { sampleGguf } from '../cli/sample-gguf.ts';

const sample = sampleGguf();
let engine: LlamaEngine;

beforeAll(async () => {
  engine = await openLlama(sample.path(), { threads: 1 });
});
afterAll(() => engine.close());

test('the engine knows the model', () => {
  expect(engine).toMatchObject({
    contextLength: 512,
    trainedContextLength: 512,
    threads: 1,
    device: 'cpu',
    bosToken: 0,
    eosToken: 0,
    addsBos: false,
    chatTemplate: undefined,
  });
});

test('the file says no BOS, so a prompt has none unless asked; one that is there is not doubled', () => {
  const plain = engine.promptTokens('Once upon a time');
  expect(plain).toEqual(engine.tokenize('Once upon a time', true));
  expect(engine.promptTokens('Once upon a time', true)).toEqual([0, ...plain]);
  expect(engine.promptTokens('<|endoftext|>Once', true)[0]).toBe(0);
  expect(engine.promptTokens('<|endoftext|>Once', true)[1]).not.toBe(0);
});

describe('generate', () => {
  const greedy = { maxTokens: 60, temperature: 0 };

  test('greedy decoding repeats itself, also after other prompts', async () => {
    const first = await engine.generate('The king', greedy);
    await engine.generate('A wolf', { maxTokens: 20, temperature: 1, seed: 3 });
    const again = await engine.generate('The king', greedy);
    expect(again.tokens).toEqual(first.tokens);
    expect(first.generatedTokens).toBe(60);
  });

  test('the pieces of text add up to the text, the text to the tokens', async () => {
    const pieces: string[] = [];
    const generation = await engine.generate('Once', {
      ...greedy,
      onText: (text) => pieces.push(text),
    });
    expect(pieces.join('')).toBe(generation.text);
    expect(generation.text).toBe(engine.detokenize(generation.tokens));
    expect(pieces.length).toBeGreaterThan(50);
  });

  test('tokens of a prompt are taken as they are', async () => {
    const prompt = engine.promptTokens('The king', true);
    const { promptTokens } = await engine.generate(prompt, greedy);
    expect(promptTokens).toBe(prompt.length);
  });

  test('a kept prefix gives the answer of a fresh start', async () => {
    const fresh = await engine.generate('Once upon a time there', greedy);
    await engine.generate('Once upon a time', { ...greedy, maxTokens: 3 });
    const reused = await engine.generate('Once upon a time there', {
      ...greedy,
      reusePrefix: true,
    });
    expect(reused.text).toBe(fresh.text);
  });

  test('a stop text ends the answer before itself', async () => {
    const { text } = await engine.generate('Once upon a time', greedy);
    const stop = text.slice(20, 26);
    const stopped = await engine.generate('Once upon a time', { ...greedy, stopTexts: [stop] });
    expect(stopped.stopReason).toBe('stop');
    expect(stopped.text).toBe(text.slice(0, text.indexOf(stop)));
  });

  test('a stop token ends the answer and is not part of it', async () => {
    const { tokens } = await engine.generate('Once upon a time', greedy);
    const stop = tokens[5]!;
    const stopped = await engine.generate('Once upon a time', {
      ...greedy,
      stopTokens: new Set([stop]),
    });
    expect(stopped).toMatchObject({
      stopReason: 'stop',
      tokens: tokens.slice(0, tokens.indexOf(stop)),
    });
  });

  test('an aborted signal ends the answer with what there is', async () => {
    const abort = new AbortController();
    let shown = '';
    const generation = await engine.generate('Once upon a time', {
      maxTokens: 400,
      signal: abort.signal,
      onText(text) {
        shown += text;
        abort.abort();
      },
    });
    expect(generation).toMatchObject({ stopReason: 'cancelled', text: shown });
    expect(generation.generatedTokens).toBeLessThan(400);
    const none = await engine.generate('Once', { maxTokens: 9, signal: abort.signal });
    expect(none).toMatchObject({ stopReason: 'cancelled', generatedTokens: 0, text: '' });
  });

  test('no tokens asked for, none given', async () => {
    const none = await engine.generate('Once', { maxTokens: 0 });
    expect(none).toMatchObject({ text: '', tokens: [], tokensPerSecond: 0, stopReason: 'length' });
  });

  test('511 tokens of prompt leave room for one, 512 for none', async () => {
    const prompt = Array.from({ length: 511 }, (_, index) => 2 + (index % 4000));
    const last = await engine.generate(prompt, greedy);
    expect(last).toMatchObject({ promptTokens: 511, generatedTokens: 1, stopReason: 'context' });
    await expect(engine.generate([...prompt, 5], greedy)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/has 512 tokens; the context holds 512/) as string,
    });
  });
});

test('the vocabulary alone opens without weights and agrees with the engine', async () => {
  const vocabulary = await openLlamaVocabulary(sample.path());
  for (const text of ['Once upon a time', 'naïve café 👩‍🚀 日本語', '<|endoftext|>\n\n\ttab']) {
    expect(vocabulary.tokenize(text, false)).toEqual(engine.tokenize(text, false));
    expect(vocabulary.detokenize(vocabulary.tokenize(text, false))).toBe(text);
  }
  await vocabulary.close();
});
