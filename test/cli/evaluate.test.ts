import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TaskReport } from '../../src/recipes/evaluate/task-report.ts';
import type { EvaluateReport } from '../../src/recipes/evaluate/evaluate.ts';
import { interrupt } from './interrupt.ts';
import { pith, pithJson } from './pith.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-evaluate-'));
const cache = join(folder, 'cache');
const types = ['Q2_K', 'Q4_K_M', 'Q8_0'] as const;
const file = (type: string) => join(folder, `sample-${type}.gguf`);
const tokens = 3000;

beforeAll(async () => {
  for (const type of types) {
    const line = ['quantize', 'sample', '-t', type, '--no-verify', '-o', file(type)];
    const { code, stderr } = await pith(line);
    if (code !== 0) throw new Error(stderr);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

function options(engine: string): string[] {
  const limits = ['--data', 'sample', '--max-tokens', String(tokens)];
  return [...limits, '--against', 'sample', '--engine', engine, '--cache', cache];
}

async function evaluate(model: string, engine: string): Promise<EvaluateReport> {
  const line = ['evaluate', model, ...options(engine)];
  const { report, stderr } = await pithJson<EvaluateReport>(line);
  if (!report.perplexity) throw new Error(`${JSON.stringify(report)}\n${stderr}`);
  return report;
}

function kept(): string[] {
  return existsSync(cache) ? readdirSync(cache) : [];
}

/** Whether the disk holds scores of a model that a killed command would continue after. */
function isResumable(role: 'base' | 'candidate'): boolean {
  const journals = kept().filter((name) => name.startsWith(role) && name.endsWith('.journal'));
  return journals.some((name) => readFileSync(join(cache, name), 'utf8').includes('"window"'));
}

/** Whether an engine has scored all, which the command will not do again. */
function isFinished(): boolean {
  return kept().some((name) => name.startsWith('candidate') && name.endsWith('.scores'));
}

describe('the model in the box, quantized, against itself as it was', () => {
  const reports: Record<string, EvaluateReport> = {};

  test('KL falls from Q2_K to Q8_0 in both engines, and every step is beyond the intervals', async () => {
    for (const type of types) reports[type] = await evaluate(file(type), 'both');
    for (const engine of [0, 1]) {
      const means = types.map((type) => reports[type]!.engines![engine]!.klDivergence!.mean);
      for (const [at, mean] of means.slice(1).entries())
        expect(mean.high).toBeLessThan(means[at]!.low);
    }
    const { documents, tokens: scored, interval } = reports['Q8_0']!;
    expect([documents, scored, interval.unit]).toEqual([12, tokens, 'documents']);
  });

  test('perplexity falls with it: Q2_K is worse than the base beyond doubt, Q8_0 is not', () => {
    const ratios = types.map((type) => reports[type]!.perplexityRatio!);
    expect(ratios[0]!.low).toBeGreaterThan(1.02);
    expect(ratios[0]!.distinguishable).toBe(true);
    expect(ratios[2]!.distinguishable).toBe(false);
    expect(ratios[1]!.value).toBeLessThan(ratios[0]!.value);
  });

  test('the engines agree: ratio of perplexities within 0.5 % of 1, and its interval says so', () => {
    for (const type of types) {
      const { perplexityRatio } = reports[type]!.disagreement!;
      expect(perplexityRatio.low).toBeLessThan(1.005);
      expect(perplexityRatio.high).toBeGreaterThan(0.995);
    }
    expect(reports['Q8_0']!.disagreement!.perplexityRatio.distinguishable).toBe(false);
  });

  test('the kept tokens leave a tail of 5 to 20 %, and the bound lacks about an eighth', () => {
    const { tail, klDivergence } = reports['Q4_K_M']!;
    expect(tail!.top).toBe(256);
    expect(tail!.meanProbability).toBeGreaterThan(0.05);
    expect(tail!.meanProbability).toBeLessThan(0.2);
    expect(tail!.estimatedGap / klDivergence!.mean.value).toBeGreaterThan(0.05);
    expect(tail!.estimatedGap / klDivergence!.mean.value).toBeLessThan(0.25);
  });

  test('against itself on ONNX Runtime: KL exactly 0, agreement 1, nothing distinguishable', async () => {
    const own = await evaluate('sample', 'onnx');
    expect(own.klDivergence).toMatchObject({ mean: { value: 0, low: 0, high: 0 }, max: 0 });
    expect(own.perplexityRatio).toEqual({ value: 1, low: 1, high: 1, distinguishable: false });
    expect(own.topTokenAgreement!.value).toBe(1);
  });

  test('the base is scored once an engine; nothing else is left behind', () => {
    const kept = readdirSync(cache).sort();
    expect(kept.map((name) => name.split('-')[0])).toEqual(['base', 'base']);
    // 128 bytes of head; f32 of the token and of 256 others, and their ids in 16 bits.
    for (const name of kept) {
      expect(statSync(join(cache, name)).size).toBe(128 + tokens * (4 + 256 * (4 + 2)));
    }
    expect(reports['Q8_0']!.notes.join()).toContain('are those kept in');
  });
});

const clean = () => rmSync(cache, { recursive: true, force: true });

/** Runs a command whole, and again interrupted and continued: both find the same. */
async function interruptAndContinue(
  given: readonly string[],
  signal: NodeJS.Signals,
  isReady: () => boolean,
): Promise<EvaluateReport> {
  const line = ['evaluate', file('Q4_K_M'), '--data', 'sample', '--cache', cache, ...given];
  clean();
  const whole = await pithJson<EvaluateReport>(line);
  const moment = { signal, isReady, isInTime: isReady, reset: clean };
  await interrupt([...line, '--json'], moment);
  const { report } = await pithJson<EvaluateReport>(line);
  const { seconds: _, notes: __, ...expected } = whole.report;
  const { seconds: ___, notes: ____, ...resumed } = report;
  expect(resumed.perplexity).toBeDefined();
  expect(resumed).toEqual(expected);
  return report;
}

describe('an interrupted evaluation', () => {
  test.each([
    ['onnx', 'base', ['--against', 'sample']],
    ['llama', 'candidate', []],
  ] as const)(
    '%s, killed while the %s is scored, continues and ends with the same figures',
    async (engine, role, against) => {
      // Enough for a signal to arrive in time on a fast machine.
      const given = [...against, '--engine', engine, '--max-tokens', '6000'];
      const { notes } = await interruptAndContinue(given, 'SIGKILL', () => isResumable(role));
      expect(notes.join('\n')).toMatch(/Continued an interrupted run of .*sample.* at window/);
    },
  );

  test('stopped by Ctrl-C in the second engine, does not compute again what the first one found', async () => {
    const given = ['--engine', 'both', '--max-tokens', '2000'];
    const { notes } = await interruptAndContinue(given, 'SIGINT', isFinished);
    expect(notes.join('\n')).toContain('(onnx) are those of an interrupted run.');
    expect(kept()).toEqual([]);
  });
});

describe('what cannot be measured', () => {
  const given = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  test.concurrent.each([
    ['no data', [], 'usage', /No text/],
    [
      'short text',
      [given('short.txt', 'Once upon a time.')],
      'unsupported',
      /fewer than one window of 512/,
    ],
    ['an empty file', [given('empty.txt', '\n')], 'unsupported', /no text to evaluate on/],
    [
      'Latin-1',
      [given('latin.txt', Buffer.from('caf\u00e9', 'latin1'))],
      'corrupt',
      /byte 3 is 0xe9/,
    ],
    ['a row without text', [given('rows.jsonl', '{"a":1}\n')], 'corrupt', /line 1, has no string/],
    ['no such file', [join(folder, 'absent.txt')], 'not-found', /absent.txt/],
    ['a context beyond the model', ['sample', '--context', '513'], 'usage', /longer than the 512/],
    ['a stride without context', ['sample', '--stride', '512'], 'usage', /leaves no context/],
    [
      'a stride for tasks alone',
      ['blimp', '--task-data', 'test/golden/lm-eval/blimp.jsonl', '--stride', '9'],
      'usage',
      /--stride is for texts/,
    ],
    ['a cache that is a file', ['sample', '--cache', file('Q2_K')], 'io', /a file is in its place/],
  ])('%s is refused', async (_, [data, ...more], code, message) => {
    const line = ['evaluate', 'sample', ...(data === undefined ? [] : ['--data', data]), ...more];
    const { report } = await pithJson<{ error: { code: string; message: string } }>(line);
    expect(report.error.code).toBe(code);
    expect(report.error.message).toMatch(message);
  });
});

test('a task is answered by model and base on the same rows', async () => {
  for (const name of ['blimp.yaml', 'blimp.jsonl']) {
    const from = name.endsWith('.yaml') ? 'tasks' : 'test/golden/lm-eval';
    copyFileSync(join(import.meta.dirname, '../..', from, name), join(folder, name));
  }
  const line = [
    'evaluate',
    file('Q2_K'),
    '--against',
    'sample',
    '--data',
    join(folder, 'blimp.yaml'),
  ];
  const { report } = await pithJson<{ tasks: Record<string, TaskReport> }>(line);
  const { rows, chance, metrics, score, base, difference } = report.tasks['blimp']!;
  expect([rows, chance, Object.keys(metrics)]).toEqual([8, 0.5, ['acc,none']]);
  expect(difference!.value).toBeCloseTo(score.value - base!.value, 9);
  // Eight rows tell nothing apart.
  expect(difference!.distinguishable).toBe(false);
});

test('people get a table with intervals and what they rest on', async () => {
  const line = ['evaluate', 'sample', '--data', 'sample', '--max-tokens', '600', '--cache', cache];
  const { code, stdout } = await pith(line);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^sample \(onnx, cpu\)\nperplexity +\d+\.\d+ {2}\[\d/);
  expect(stdout).toContain('600 tokens of 2 documents, windows of 512, stride 256');
});
