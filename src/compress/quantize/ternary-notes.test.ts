import { describe, expect, test } from 'vitest';
import { scalarKernels } from '../../kernels/scalar.ts';
import { fakeModel } from '../../models/fake-model.cases.ts';
import type { Model } from '../../models/model.ts';
import { rowsOf, weightsOf, type Tensor } from '../../tensor/tensor.ts';
import { bf16ToF32, f32ToBf16 } from '../../util/half-float.ts';
import { seededRandom } from '../../util/random.ts';
import { parseFileType } from './file-types.ts';
import { parseOverride } from './overrides.ts';
import { planQuantization } from './plan.ts';
import { ternaryNotes } from './ternary-notes.ts';

const shapes = {
  'token_embd.weight': [64, 256],
  'blk.0.attn_norm.weight': [256],
  'blk.0.attn_q.weight': [32, 256],
  'blk.0.ffn_up.weight': [64, 512],
  'blk.0.ffn_down.weight': [32, 256],
};

function gaussians(count: number): Float32Array {
  const random = seededRandom(2);
  return Float32Array.from({ length: count }, () => random.normal() / 16);
}

/** As BitNet b1.58 rounds: to −1, 0 and 1 times the mean magnitude of the tensor, stored in BF16. */
function ternary(count: number): Float32Array {
  const latent = gaussians(count);
  const scale = latent.reduce((sum, x) => sum + Math.abs(x), 0) / count;
  const stored = bf16ToF32(f32ToBf16(scale));
  return latent.map((x) => (Math.min(Math.max(Math.round(x / scale), -1), 1) || 0) * stored);
}

/** A model of F32 tensors. */
function modelOf(values: (name: string, count: number) => Float32Array): Model {
  const model = fakeModel({ architecture: 'llama', keys: { block_count: 1 }, shapes, type: 'F32' });
  const tensors = [...model.tensors].map(([name, tensor]): [string, Tensor] => {
    const bytes = new Uint8Array(values(name, weightsOf(tensor.shape)).buffer);
    const rowBytes = bytes.length / rowsOf(tensor.shape);
    const read = (first: number, count: number) =>
      Promise.resolve(bytes.subarray(first * rowBytes, (first + count) * rowBytes));
    return [name, { ...tensor, read }];
  });
  return { ...model, tensors: new Map(tensors) };
}

function notesOf(model: Model, type: string, ...overrides: string[]): Promise<string[]> {
  const options = { type: parseFileType(type), overrides: overrides.map(parseOverride) };
  return ternaryNotes(model, planQuantization(model, options).tensors);
}

const inBlocks = (name: string) => name.startsWith('blk.');

describe('a model that was not trained ternary', () => {
  const model = modelOf((_, count) => gaussians(count));

  // The best three levels for Gaussians leave 0.190 of the energy (Max 1960, table I), 44 % of the size.
  test.each(['TQ1_0', 'TQ2_0'])(
    '%s is told to destroy it, with the error: 43 to 45 %%',
    async (type) => {
      const [note, ...others] = await notesOf(model, type);
      expect(others).toEqual([]);
      expect(note).toContain(`${type} is for models that were trained with three values`);
      expect(note).toContain('Of 3 matrices looked at, 3 hold others');
      expect(Number(/(\d+) % of their size/.exec(note!)?.[1])).toBeGreaterThanOrEqual(43);
      expect(Number(/(\d+) % of their size/.exec(note!)?.[1])).toBeLessThanOrEqual(45);
    },
  );

  test('an override that asks for such a type is told too, other types are not', async () => {
    expect((await notesOf(model, 'Q4_0', 'attn_q=TQ2_0'))[0]).toContain('Of 1 matrices looked at');
    expect(await notesOf(model, 'Q4_0')).toEqual([]);
    expect(await notesOf(model, 'F16')).toEqual([]);
  });

  test('one matrix of three is counted', async () => {
    const mixed = modelOf((name, count) =>
      name.includes('attn_q') ? gaussians(count) : ternary(count),
    );
    expect((await notesOf(mixed, 'TQ2_0'))[0]).toContain('Of 3 matrices looked at, 1 hold others');
  });
});

describe('a model that was trained ternary', () => {
  const model = modelOf((name, count) => (inBlocks(name) ? ternary(count) : gaussians(count)));

  test.each(['TQ1_0', 'TQ2_0'] as const)('%s stores it exactly, and says so', async (type) => {
    expect(await notesOf(model, type)).toEqual([
      `The matrices hold three values a scale (3 of 3 were looked at): ${type} stores them exactly.`,
    ]);
    const values = ternary(64 * 512);
    const out = new Uint8Array((values.length / 256) * (type === 'TQ1_0' ? 54 : 66));
    expect(scalarKernels.encode(type, values, 512, out).squaredError).toBe(0);
    const read = new Float32Array(values.length);
    scalarKernels.decode(type, out, read);
    expect(read).toEqual(values);
  });

  test('a scale that binary16 cannot hold costs its rounding, which is told', async () => {
    const fine = modelOf((_, count) => ternary(count).map((x) => x * 1.0003));
    expect((await notesOf(fine, 'TQ2_0'))[0]).toContain('rounding of their scales');
  });

  test('who asks for another type is told of TQ2_0', async () => {
    expect(await notesOf(model, 'Q4_0')).toEqual([
      'The weights are ternary (3 of 3 matrices were looked at): --type TQ2_0 stores them in 2.06 bits without loss.',
    ]);
  });

  test('zeros tell nothing, and NaN is left to the writer', async () => {
    expect(
      await notesOf(
        modelOf((_, count) => new Float32Array(count)),
        'Q4_0',
      ),
    ).toEqual([]);
    const broken = modelOf((_, count) => ternary(count).fill(NaN, 0, 256));
    expect((await notesOf(broken, 'TQ2_0'))[0]).toContain('exactly');
  });
});
