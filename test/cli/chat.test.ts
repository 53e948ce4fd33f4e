import { expect, test } from 'vitest';
import { pith, pithJson } from './pith.ts';
import { sampleGguf } from './sample-gguf.ts';

const sample = sampleGguf();
const chat = (...args: string[]) => ['chat', sample.path(), '-n', '12', ...args];

test('a text model is said to be one, and continues each line after the last', async () => {
  const { code, stdout, stderr } = await pith(chat(), { input: 'Once upon a time\n\nand then\n' });
  expect(code).toBe(0);
  expect(stderr).toMatch(/no chat template: it is a text model, it continues your text/);
  expect(stderr).toContain('pith run sample-q8_0.gguf -p');
  expect(stdout.trimEnd().split('\n').length).toBeGreaterThanOrEqual(2);
});

test('--json prints the whole conversation; /clear forgets, /exit leaves', async () => {
  const { report } = await pithJson<{ messages: { role: string; text: string }[] }>(chat(), {
    input: 'One\n/clear\nTwo\n/exit\nThree\n',
  });
  expect(report.messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
  expect(report.messages[0]!.text).toBe('Two');
});

test('a system message to a text model is refused', async () => {
  const { code, stderr } = await pith(chat('--system', 'Be kind.'));
  expect(code).toBe(2);
  expect(stderr).toContain('no chat template');
});

test('a conversation that outgrows the context ends with both numbers, nothing is dropped', async () => {
  const { code, stderr } = await pith(chat('--context', '40'), {
    input: 'Once upon a time\n'.repeat(5),
  });
  expect(code).toBe(2);
  expect(stderr).toMatch(/has \d+ tokens now; the context holds 40/);
});
