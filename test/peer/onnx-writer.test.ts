import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, expect, test } from 'vitest';
import { planOnnx, streamOnnx, writeOnnx, type OnnxModel } from '../../dist/formats/onnx/index.js';
import { collector } from '../../src/formats/bytes.cases.ts';

const folder = await mkdtemp(join(tmpdir(), 'pith-onnx-'));
afterAll(() => rm(folder, { recursive: true }));

const wide = 300;

/** y = concat(x · W, softmax(x · W)) + 1 with W[i, j] = (i − j) / 100, `[4, wide]`. */
function model(): OnnxModel {
  const weights = Float32Array.from({ length: 4 * wide }, (_, at) => {
    return (Math.floor(at / wide) - (at % wide)) / 100;
  });
  const one = { name: 'one', elementType: 'FLOAT', shape: [] } as const;
  return {
    irVersion: 10,
    opsets: { '': 21 },
    producerName: 'pith',
    producerVersion: '0',
    metadata: { purpose: 'test' },
    graph: {
      name: 'writer',
      inputs: [{ name: 'x', elementType: 'FLOAT', shape: ['rows', 4] }],
      outputs: [{ name: 'y', elementType: 'FLOAT', shape: ['rows', 2 * wide] }],
      initializers: [
        {
          name: 'W',
          elementType: 'FLOAT',
          shape: [4, wide],
          data: new Uint8Array(weights.buffer),
        },
      ],
      nodes: [
        { opType: 'MatMul', inputs: ['x', 'W'], outputs: ['scores'] },
        {
          opType: 'Softmax',
          name: 'shares',
          inputs: ['scores'],
          outputs: ['shares'],
          attributes: { axis: { type: 'int', value: -1 } },
        },
        {
          opType: 'Concat',
          inputs: ['scores', 'shares'],
          outputs: ['both'],
          attributes: { axis: { type: 'int', value: 1 } },
        },
        {
          opType: 'Constant',
          inputs: [],
          outputs: ['one'],
          attributes: {
            value: {
              type: 'tensor',
              value: { ...one, data: new Uint8Array(Float32Array.of(1).buffer) },
            },
          },
        },
        { opType: 'Add', inputs: ['both', 'one'], outputs: ['y'] },
      ],
    },
  };
}

function expected(x: readonly number[]): number[] {
  const scores = Array.from({ length: wide }, (_, j) => {
    return x.reduce((sum, value, i) => sum + (value * (i - j)) / 100, 0);
  });
  const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
  return [...scores, ...scores.map((score) => Math.exp(score) / total)].map((value) => value + 1);
}

/** Largest difference of what a session computes from `expected`. */
async function largestError(session: InferenceSession): Promise<number> {
  const x = [0.5, -1, 0.25, 0.125];
  const { y } = await session.run({ x: new Tensor('float32', Float32Array.from(x), [1, 4]) });
  await session.release();
  expect(y!.dims).toEqual([1, 2 * wide]);
  const data = y!.data as Float32Array;
  return Math.max(...expected(x).map((value, at) => Math.abs(data[at]! - value)));
}

test('ONNX Runtime runs a model in one file', async () => {
  const session = await InferenceSession.create(await writeOnnx(model()));
  expect(await largestError(session)).toBeLessThan(1e-6);
});

test('ONNX Runtime runs a model whose weights lie in a second file', async () => {
  const plan = await planOnnx(model(), { inlineLimitBytes: 1024, location: 'weights.bin' });
  const path = join(folder, 'model.onnx');
  const [file, weights] = [collector(), collector()];
  await streamOnnx(plan.model, file.sink);
  await streamOnnx(plan.weights!, weights.sink);
  expect(file.bytes()).toHaveLength(plan.model.totalBytes);
  expect(weights.bytes()).toHaveLength(4 * 4 * wide);
  await writeFile(path, file.bytes());
  await writeFile(join(folder, 'weights.bin'), weights.bytes());
  expect(await largestError(await InferenceSession.create(path))).toBeLessThan(1e-6);
});
