import { expect, test } from 'vitest';
import { pithJson } from './pith.ts';

interface DoctorReport {
  readonly ok: boolean;
  readonly checks: readonly { name: string; ok: boolean; needed: boolean; hint?: string }[];
  readonly hardware: { cores: number };
  readonly bandwidth: { bytesPerSecond: number; method: string };
  readonly decodeCeiling: readonly { modelBytes: number; tokensPerSecond: number }[];
}

test('this machine, where all tests run, is healthy, and every failed check has a next step', async () => {
  const { code, report } = await pithJson<DoctorReport>(['doctor']);
  expect([code, report.ok]).toEqual([0, true]);
  const working = report.checks.filter(({ ok }) => ok).map(({ name }) => name);
  expect(working).toEqual(
    expect.arrayContaining([
      'Node.js',
      'WebAssembly SIMD',
      'llama.cpp (CPU)',
      'ONNX Runtime (CPU)',
    ]),
  );
  for (const { ok, hint } of report.checks) expect(ok || hint).toBeTruthy();
  expect(report.bandwidth.bytesPerSecond).toBeGreaterThan(1e8);
  const [half, one] = report.decodeCeiling;
  expect(half!.tokensPerSecond).toBeCloseTo(2 * one!.tokensPerSecond, 6);
});
