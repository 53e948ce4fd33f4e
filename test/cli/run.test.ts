import { writeFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Generation } from '../../src/runtime/llama.ts';
import { pith, pithJson } from './pith.ts';
import { sampleGguf } from './sample-gguf.ts';

const sample = sampleGguf();
const run = (...args: string[]) => ['run', sample.path(), ...args];

test('the story goes to stdout, the numbers to stderr', async () => {
  const { code, stdout, stderr } = await pith(
    run('-p', 'Once upon a time', '-n', '30', '--temp', '0'),
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ there was a [^]+\n$/);
  expect(stderr).toMatch(
    /^4 \+ 30 tokens · [\d.]+ tokens\/s · first after .*s · CPU, \d+ threads? · peak memory .*MB\n$/,
  );
});

test('--json holds every field of the contract and the same text', async () => {
  const args = run('-p', 'Once upon a time', '-n', '30', '--temp', '0');
  const [plain, json] = [await pith([...args, '-q']), await pithJson<Generation>(args)];
  expect([plain.stderr, json.stderr]).toEqual(['', '']);
  const { report } = json;
  expect(`${report.text}\n`).toBe(plain.stdout);
  expect(report).toMatchObject({
    promptTokens: 4,
    generatedTokens: 30,
    stopReason: 'length',
    temperature: 0,
    contextLength: 512,
  });
  expect(report.tokens).toHaveLength(30);
  expect(report.timeToFirstTokenMs).toBeGreaterThan(0);
  expect(report.tokensPerSecond).toBeGreaterThan(0);
  expect(report.peakMemoryBytes).toBeGreaterThan(10e6);
});

async function told(seed: string): Promise<string> {
  return (await pith(run('-p', 'Once', '-n', '40', '--seed', seed, '-q'))).stdout;
}

test('a seed repeats a sampled text, another seed gives another', async () => {
  const [first, again, other] = [await told('7'), await told('7'), await told('8')];
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});

test('-p - reads the prompt from stdin, --bos opens a document', async () => {
  const { report } = await pithJson<Generation>(run('-p', '-', '-n', '1'), {
    input: 'Once upon a time',
  });
  const withBos = await pithJson<Generation>(run('-p', 'Once upon a time', '-n', '1', '--bos'));
  expect(report.promptTokens).toBe(4);
  expect(withBos.report.promptTokens).toBe(5);
});

test('an answer that fills the context says so', async () => {
  const args = run('-p', 'Once upon a time', '-n', '100', '--context', '20', '--temp', '0');
  const { code, stderr } = await pith(args);
  expect(code).toBe(0);
  expect(stderr).toContain('The context of 20 tokens is full: the answer ends after 16 tokens.');
});

test('a prompt longer than the context is refused with both numbers', async () => {
  const { code, stderr } = await pith(run('-p', 'word '.repeat(600)));
  expect(code).toBe(2);
  expect(stderr).toMatch(/The prompt has 602 tokens; the context holds 512/);
});

test('an empty prompt needs a token to begin with', async () => {
  expect((await pith(run('-p', ''))).stderr).toContain('add --bos');
  expect((await pith(run('-p', '', '--bos', '-n', '1', '-q'))).code).toBe(0);
});

test('a context longer than trained is refused with both numbers', async () => {
  const { code, stderr } = await pith(run('-p', 'a', '--context', '4096'));
  expect(code).toBe(2);
  expect(stderr).toMatch(/4096 tokens is longer than the 512[^]*--context 512/);
});

test('Ctrl-C stops with exit 130 and says after how many tokens', async () => {
  const { code, stderr } = await pith(run('-p', 'Once', '-n', '500', '--threads', '1'), {
    onOutput: (kill) => kill('SIGINT'),
  });
  expect(code).toBe(130);
  expect(stderr).toMatch(/^Stopped after \d+ tokens\.\n$/);
});

test('what is not a GGUF names the command that makes one', async () => {
  const { code, stderr } = await pith(['run', 'sample', '-p', 'a']);
  expect(code).toBe(1);
  expect(stderr).toContain('pith quantize sample --type Q4_K_M -o sample-q4_k_m.gguf');
});

test('a truncated file and a file of zeros are PithErrors before native code sees them', async () => {
  const whole = await readFile(sample.path());
  const bad = join(sample.folder(), 'bad.gguf');
  await writeFile(bad, whole.subarray(0, 500_000));
  expect((await pithJson(['run', bad, '-p', 'a'])).report).toMatchObject({
    error: { code: 'truncated' },
  });
  await writeFile(bad, new Uint8Array(1000));
  expect((await pithJson(['run', bad, '-p', 'a'])).report).toMatchObject({
    error: { code: 'corrupt' },
  });
});

test('PITH_DEBUG=1 adds where an engine error came from', async () => {
  const bad = join(sample.folder(), 'no-tensors.gguf');
  const whole = await readFile(sample.path());
  await writeFile(bad, Buffer.concat([whole.subarray(0, 8), Buffer.alloc(8), whole.subarray(16)]));
  const quiet = await pith(['run', bad, '-p', 'a']);
  const debug = await pith(['run', bad, '-p', 'a'], { env: { PITH_DEBUG: '1' } });
  expect(quiet.stderr).toMatch(/^pith: llama\.cpp does not load .*\[engine\]\n {2}.*\n$/);
  expect(debug.stderr).toMatch(/\n\s+at .*llama/);
});
