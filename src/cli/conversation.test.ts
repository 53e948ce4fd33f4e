import { expect, test } from 'vitest';
import type { GenerateOptions, LlamaEngine } from '../runtime/llama.ts';
import { startConversation } from './conversation.ts';

const template = '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:';
const letters = (text: string) => Array.from(text, (letter) => letter.codePointAt(0)!);
const textOf = (tokens: readonly number[]) => String.fromCodePoint(...tokens);

/** An engine with one token a letter that answers "!" and keeps what it was asked. */
function fakeEngine(chatTemplate: string | undefined, contextLength = 1000) {
  const asked: { prompt: string; options: GenerateOptions }[] = [];
  const engine = {
    chatTemplate,
    contextLength,
    bosToken: undefined,
    eosToken: undefined,
    tokenize: letters,
    promptTokens: letters,
    detokenize: textOf,
    generate(prompt: readonly number[], options: GenerateOptions) {
      asked.push({ prompt: textOf(prompt), options });
      return Promise.resolve({ text: '!', tokens: letters('!') });
    },
  };
  return { engine: engine as unknown as LlamaEngine, asked };
}

const options = { maxTokens: 5 };

test('a chat keeps the system message and every turn, and stops where the next would begin', async () => {
  const { engine, asked } = fakeEngine(template);
  const conversation = startConversation(engine, 'Be kind.');
  await conversation.say('Hi', options);
  await conversation.say('Bye', options);
  expect(asked.at(-1)!.prompt).toBe(
    'system: Be kind.\nuser: Hi\nassistant: !\nuser: Bye\nassistant:',
  );
  expect(asked.at(-1)!.options).toMatchObject({ stopTexts: ['\nuser:'], reusePrefix: true });
  conversation.clear();
  expect(conversation.messages).toEqual([{ role: 'system', text: 'Be kind.' }]);
});

test('a text model continues everything said so far', async () => {
  const { engine, asked } = fakeEngine(undefined);
  const conversation = startConversation(engine, undefined);
  await conversation.say('Once', options);
  await conversation.say(' upon', options);
  expect(asked.map(({ prompt }) => prompt)).toEqual(['Once', 'Once! upon']);
  conversation.clear();
  await conversation.say('New', options);
  expect(asked.at(-1)!.prompt).toBe('New');
});

test.each([undefined, template])(
  'a turn that does not fit is refused with both numbers and is not kept (%#)',
  async (chatTemplate) => {
    const { engine } = fakeEngine(chatTemplate, 40);
    const conversation = startConversation(engine, undefined);
    await conversation.say('Hi', options);
    const before = [...conversation.messages];
    await expect(conversation.say('x'.repeat(60), options)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/has \d+ tokens now; the context holds 40/) as string,
    });
    expect(conversation.messages).toEqual(before);
  },
);

test('a text model has no place for a system message', () => {
  expect(() => startConversation(fakeEngine(undefined).engine, 'Be kind.')).toThrow(
    expect.objectContaining({ code: 'usage' }),
  );
});
