import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EvaluateReport } from '../../dist/index.js';
import { pith, pithJson, type Failure } from './pith.ts';

interface Report {
  readonly ok: boolean;
  readonly bytes: number;
  readonly relativeError: number;
  readonly tensors: readonly { readonly name: string; readonly type: string }[];
  readonly notes: readonly string[];
  readonly verification?: {
    readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
  };
}

const folder = mkdtempSync(join(tmpdir(), 'pith quantize '));
const at = (name: string) => join(folder, name);
const f16 = at('f16.gguf');

beforeAll(() => pith(['quantize', 'sample', '-t', 'F16', '-o', f16, '--no-verify']));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function typeOf(report: Report, name: string): string | undefined {
  return report.tensors.find((tensor) => tensor.name === name)?.type;
}

test('the dry run predicts the bytes of the file, and the file passes all five checks', async () => {
  const args = ['quantize', 'sample', '--type', 'Q4_K_M'];
  const predicted = await pithJson<Report>([...args, '--dry-run']);
  const { report, code } = await pithJson<Report>([...args, '-o', at('q4.gguf')]);
  expect([code, report.ok, report.bytes]).toEqual([0, true, predicted.report.bytes]);
  expect(statSync(at('q4.gguf')).size).toBe(report.bytes);
  const checks = report.verification!.checks.filter(({ ok }) => ok).map(({ name }) => name);
  expect(checks).toEqual(['structure', 'weights', 'tokenizer', 'chat template', 'generation']);
});

test('a GGUF of the same weights gives the same error to 1 in 10,000 as the folder', async () => {
  const errors: number[] = [];
  for (const [model, name] of [
    ['sample', 'a.gguf'],
    [f16, 'b.gguf'],
  ] as const) {
    const args = ['quantize', model, '-t', 'Q4_K_M', '-o', at(name), '--no-verify'];
    errors.push((await pithJson<Report>(args)).report.relativeError);
  }
  expect(errors[0]! / errors[1]!).toBeCloseTo(1, 4);
});

test('--tensor overrides the mix, and --pure leaves one type for every matrix', async () => {
  const args = ['quantize', 'sample', '-t', 'Q4_K_M', '--dry-run'];
  const mixed = await pithJson<Report>([...args, '--tensor', 'blk\\.0\\.ffn_up=Q8_0']);
  expect(typeOf(mixed.report, 'blk.0.ffn_up.weight')).toBe('Q8_0');
  expect(typeOf(mixed.report, 'blk.1.ffn_up.weight')).toBe('Q4_K');
  const { report } = await pithJson<Report>([
    'quantize',
    'sample',
    '-t',
    'Q4_K',
    '--pure',
    '--dry-run',
  ]);
  expect(new Set(report.tensors.map(({ type }) => type))).toEqual(new Set(['Q4_K', 'F32']));
});

test('quantizing a quantized file says what that costs', async () => {
  const { report } = await pithJson<Report>(['quantize', at('q4.gguf'), '-t', 'Q2_K', '--dry-run']);
  expect(report.notes.join('\n')).toContain('are already quantized (Q4_K, Q6_K)');
});

test('the model is not replaced by its own output, nor a file without --force; nothing is left', async () => {
  const before = readdirSync(folder);
  const bytes = readFileSync(f16);
  const itself = await pith(['quantize', f16, '-t', 'Q8_0', '-o', f16, '--force']);
  expect([itself.code, itself.stderr]).toEqual([1, expect.stringContaining('is the input')]);
  const existing = await pith(['quantize', 'sample', '-t', 'Q8_0', '-o', f16]);
  expect([existing.code, existing.stderr]).toEqual([1, expect.stringContaining('--force')]);
  expect(readFileSync(f16).equals(bytes)).toBe(true);
  expect(readdirSync(folder)).toEqual(before);
});

test('a wrong type, output name or pattern is exit code 2 with the next step', async () => {
  const lines = [
    [['-t', 'Q4_KM', '-o', at('x.gguf')], 'Did you mean Q4_K_M?'],
    [['-t', 'Q8_0', '-o', at('x.bin')], 'for example'],
    [['-t', 'Q8_0', '-o', at('x.gguf'), '--tensor', 'blk=Q9'], 'Known:'],
    [['-t', 'Q8_0'], 'pith quantize sample --type Q8_0 -o'],
  ] as const;
  for (const [args, hint] of lines) {
    const { code, stderr } = await pith(['quantize', 'sample', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(hint)]);
  }
});

test('evidence with Hessians: the same types and bytes, a fifth less divergence than importance alone', async () => {
  const evidence = at('evidence.gguf');
  await pithJson(['calibrate', 'sample', '--tokens', '8192', '--hessians', '-o', evidence]);
  const kl: number[] = [];
  const bytes: number[] = [];
  for (const option of ['--imatrix', '--evidence']) {
    const file = at(`q3${option}.gguf`);
    const line = [
      'quantize',
      'sample',
      '-t',
      'Q3_K_S',
      option,
      evidence,
      '--no-verify',
      '-o',
      file,
    ];
    bytes.push((await pithJson<Report>(line)).report.bytes);
    const asked = ['--against', 'sample', '--data', 'sample', '--max-tokens', '2000'];
    const { report } = await pithJson<EvaluateReport>(['evaluate', file, ...asked]);
    kl.push(report.klDivergence!.mean.value);
  }
  expect(bytes[1]).toBe(bytes[0]);
  expect(kl[1]! / kl[0]!).toBeLessThan(0.8);
}, 120_000);

test.each([
  ['of another model', ['f16.gguf'], 'conflict', /is of other weights/],
  ['without Hessians', ['sample', 'plain.gguf'], 'unsupported', /has no Hessians/],
] as const)('evidence %s is refused', async (_, [model, own = 'evidence.gguf'], code, message) => {
  const reference = model === 'sample' ? model : at(model);
  if (own === 'plain.gguf')
    await pithJson(['calibrate', 'sample', '--tokens', '1024', '--no-gradients', '-o', at(own)]);
  const line = ['quantize', reference, '-t', 'Q3_K_S', '--evidence', at(own), '-o', at('no.gguf')];
  const { report } = await pithJson<Failure>(line);
  expect(report.error.code).toBe(code);
  expect(report.error.message).toMatch(message);
});
