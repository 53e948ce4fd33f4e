import { expect, test } from 'vitest';
import { createWasmKernels } from './wasm.ts';
import { encodeQ2K } from './scalar/q2_k.ts';
import { encodeQ4K } from './scalar/q4_k.ts';
import { encodeQ5K } from './scalar/q5_k.ts';

const wasm = await createWasmKernels();
test.each([
  ['Q4_K', encodeQ4K, 144],
  ['Q5_K', encodeQ5K, 176],
  ['Q2_K', encodeQ2K, 84],
] as const)('%s twin', (type, encode, bytes) => {
  let seed = 1;
  const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  for (const scale of [1, 1e-30, 1e30, 3e38, 1e-40, 1e-6])
    for (const imp of [0, 1]) {
      const x = Float32Array.from(
        { length: 2048 },
        () => (random() + random() + random() - 1.5) * (random() < 0.01 ? 1 : 0.3) * scale,
      );
      const v = imp ? Float32Array.from({ length: 1024 }, () => random() ** 6) : undefined;
      const a = new Uint8Array(8 * bytes),
        b = new Uint8Array(8 * bytes);
      const ea = encode(x, 1024, a, v);
      const t = performance.now();
      const eb = wasm.encode(type, x, 1024, b, v);
      expect(performance.now() - t).toBeLessThan(100);
      expect(a).toEqual(b);
      expect(ea).toEqual(eb);
    }
});
