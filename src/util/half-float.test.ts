import { expect, test } from 'vitest';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16, roundHalfEven } from './half-float.ts';

const halves = Array.from({ length: 65536 }, (_, half) => half);

test('every one of the 65,536 binary16 values survives the way to f32 and back', () => {
  const changed = halves.filter((half) => {
    const value = f16ToF32(half);
    const back = f32ToF16(value);
    return Number.isNaN(value) ? (back & 0x7fff) !== 0x7e00 : back !== half;
  });
  expect(changed).toEqual([]);
});

test('binary16 rounding: halfway goes to the even neighbour, above 65,519.99 goes to infinity', () => {
  expect(f32ToF16(1 + 2 ** -11)).toBe(0x3c00);
  expect(f32ToF16(1 + 3 * 2 ** -11)).toBe(0x3c02);
  expect(f32ToF16(65519.99)).toBe(0x7bff);
  expect(f32ToF16(65520)).toBe(0x7c00);
  expect(f32ToF16(2 ** -25)).toBe(0);
  expect(f32ToF16(2 ** -25 * 1.01)).toBe(1);
  expect(f32ToF16(-0)).toBe(0x8000);
});

test('every bfloat16 value survives the way to f32 and back, NaN stays NaN', () => {
  const changed = halves.filter((half) => {
    const value = bf16ToF32(half);
    const back = f32ToBf16(value);
    return Number.isNaN(value) ? !Number.isNaN(bf16ToF32(back)) : back !== half;
  });
  expect(changed).toEqual([]);
});

test('bfloat16 rounding: halfway goes to the even neighbour', () => {
  expect(f32ToBf16(1 + 2 ** -8)).toBe(0x3f80);
  expect(f32ToBf16(1 + 3 * 2 ** -8)).toBe(0x3f82);
});

test('roundHalfEven sends 0.5 to 0, 1.5 to 2 and -2.5 to -2', () => {
  expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5].map(roundHalfEven)).toEqual([0, 2, 2, 0, -2, -2]);
});
