import { expect, test } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { ReferenceEngine } from '../../graph/reference/engine.ts';
import { seededRandom } from '../../util/random.ts';
import { MemoryStore } from './collection-store.ts';
import { observeHessian } from './observe-hessian.ts';
import { RunningHessians } from './running-hessians.ts';

const [tokens, columns, blockSize] = [2, 1100, 1050];

test('a block of 1050 columns in four parts and one of 50 are sums of products over two passes', async () => {
  const engine = new ReferenceEngine();
  const store = new MemoryStore();
  const g = new GraphBuilder();
  const x = g.input('x', 'f32', [tokens, columns]);
  const observed = observeHessian(g, 'x', { x, hessianBlock: blockSize });
  expect(observed.parts.map(({ rows, columns: to }) => [rows, to])).toEqual([
    [263, 1050],
    [263, 787],
    [263, 524],
    [261, 261],
    [50, 50],
  ]);
  const program = await engine.compile(g.build());
  const random = seededRandom(3);
  const windows = Array.from({ length: 3 }, () =>
    Float32Array.from({ length: tokens * columns }, () => random.normal()),
  );
  const hessian = { ...observed, name: 'x', sharers: ['x'], isGram: false };
  const places = { engine, store, weights: new Map<string, Float64Array>() };
  for (const pass of [windows.slice(0, 2), windows.slice(2)]) {
    const running = await RunningHessians.begin([hessian], places, pass.length);
    for (const values of pass)
      await running.add((inputs, wanted) => program.run({ ...inputs, x: values }, wanted));
  }
  const found = (await store.get('x'))!;
  expect(found).toHaveLength(2 * blockSize ** 2);
  const rows = windows.flatMap((values) => [values.subarray(0, columns), values.subarray(columns)]);
  const product = (i: number, j: number) => rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0);
  let largest = 0;
  for (let at = 0; at < found.length; at += 11) {
    const [row, column] = [Math.floor(at / blockSize), at % blockSize];
    const to = column + (row < blockSize ? 0 : blockSize);
    const expected = row < columns && to < columns ? product(row, to) : 0;
    largest = Math.max(largest, Math.abs(found[at]! - expected));
  }
  expect(largest).toBeLessThan(1e-5);
});
