import { expect, test } from 'vitest';
import { describeHardware, parseCgroupLimit, parseCpuInfo, parseSysctl } from './hardware.ts';

test('x86 flags and ARM features are found in /proc/cpuinfo', () => {
  expect(parseCpuInfo('model name\t: X\nflags\t\t: fpu avx2 avx512f\nbugs\t: none\n')).toEqual([
    'fpu',
    'avx2',
    'avx512f',
  ]);
  expect(parseCpuInfo('processor : 0\nFeatures\t: fp asimd i8mm\n')).toEqual([
    'fp',
    'asimd',
    'i8mm',
  ]);
  expect(parseCpuInfo('')).toEqual([]);
});

test("macOS' sysctl lists what is present with 1", () => {
  const text =
    'hw.optional.arm.FEAT_I8MM: 1\nhw.optional.arm.FEAT_SME: 0\nhw.optional.floatingpoint: 1\n';
  expect(parseSysctl(text)).toEqual(['FEAT_I8MM', 'floatingpoint']);
});

test('a container limit counts only below the memory of the machine', () => {
  expect(parseCgroupLimit('2147483648\n', 8e9)).toBe(2147483648);
  expect(parseCgroupLimit('9223372036854771712\n', 8e9)).toBeUndefined();
  expect(parseCgroupLimit('max\n', 8e9)).toBeUndefined();
  expect(parseCgroupLimit('', 8e9)).toBeUndefined();
});

test('this machine has a core, a processor name and memory', async () => {
  const { cores, cpu, memoryBytes, freeMemoryBytes } = await describeHardware();
  expect(cores).toBeGreaterThanOrEqual(1);
  expect(cpu).not.toBe('');
  expect(freeMemoryBytes).toBeLessThanOrEqual(memoryBytes);
});
