import { fork } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GraphBuilder } from '../../dist/graph/builder.js';
import type { Graph } from '../../dist/graph/graph.js';
import {
  openOnnxEngine,
  type OnnxEngine,
  type OnnxProgram,
} from '../../dist/runtime/onnx/index.js';

/** y = x · wᵀ, z = |y|: `[2,3] × [4,3] → [2,4]`. */
function productGraph(): Graph {
  const g = new GraphBuilder();
  const y = g.linear(g.input('x', 'f32', [2, 3]), g.input('w', 'f32', [4, 3]));
  g.output('y', y);
  g.output('z', g.abs(y));
  return g.build();
}

/** Products of `[n,n]` in a row: some seconds of work for n = 1024 and 60 of them. */
function slowGraph(size: number, products: number): Graph {
  const g = new GraphBuilder();
  const w = g.input('w', 'f32', [size, size]);
  let y = w;
  for (let i = 0; i < products; i++) y = g.linear(y, w);
  g.output('y', y);
  return g.build();
}

const x = Float32Array.of(1, 2, 3, 4, 5, 6);
const w = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, -1, -1, -1);
const y = Float32Array.of(1, 2, 3, -6, 4, 5, 6, -15);
const z = y.map(Math.abs);

let engine: OnnxEngine;
let program: OnnxProgram;

beforeAll(async () => {
  engine = await openOnnxEngine({ threads: 2 });
  program = await engine.compile(productGraph());
});

afterAll(() => engine.close());

test('it says what computes, and why the other providers of this system do not', () => {
  expect(engine.name).toMatch(/^ONNX Runtime 1\.\d+\.\d+$/);
  expect([engine.provider, ...engine.passedOver.map(({ provider }) => provider)].sort()).toEqual(
    expect.arrayContaining(['cpu', 'webgpu']),
  );
  for (const { reason } of engine.passedOver) expect(reason).not.toBe('');
});

test('a product by hand: [2,3] × [4,3]ᵀ', async () => {
  expect((await program.run({ x, w })).outputs).toEqual({ y, z });
});

test('a subset of the outputs comes back under its own name', async () => {
  expect((await program.run({ x, w }, { outputs: ['z'] })).outputs).toEqual({ z });
});

test('stored data is handed over, serves several programs and runs, and is refused once released', async () => {
  const given = w.slice();
  const stored = await engine.store('f32', [4, 3], given);
  expect(given).toHaveLength(0);
  const other = await engine.compile(productGraph());
  expect((await program.run({ x, w: stored })).outputs).toEqual({ y, z });
  expect((await other.run({ x, w: stored })).outputs).toEqual({ y, z });
  await other.close();
  await stored.release();
  await expect(program.run({ x, w: stored })).rejects.toMatchObject({ code: 'engine' });
});

test('a part of an ArrayBuffer and shared memory are copied, not handed over', async () => {
  const whole = new Float32Array(20);
  whole.set(w, 5);
  const part = await engine.store('f32', [4, 3], whole.subarray(5, 17));
  expect(whole).toHaveLength(20);
  const shared = new Float32Array(new SharedArrayBuffer(48));
  shared.set(w);
  const copied = await engine.store('f32', [4, 3], shared);
  expect((await program.run({ x, w: part })).outputs).toEqual({ y, z });
  expect((await program.run({ x, w: copied })).outputs).toEqual({ y, z });
});

test('kept outputs are inputs of later runs: |x·wᵀ|·wᵀ in two', async () => {
  const g = new GraphBuilder();
  g.output('y', g.matmul(g.input('x', 'f32', [2, 4]), g.input('w', 'f32', [4, 3])));
  const second = await engine.compile(g.build());
  const { outputs, kept } = await program.run({ x, w }, { outputs: [], keep: ['z'] });
  expect(outputs).toEqual({});
  expect(kept['z']).toMatchObject({ type: 'f32', shape: [2, 4] });
  const result = await second.run({ x: kept['z']!, w });
  expect(result.outputs['y']).toEqual(Float32Array.of(-5, -4, -3, -11, -10, -9));
});

test('outputs can be written into stored tensors, run after run', async () => {
  const into = await engine.store('f32', [2, 4], new Float32Array(8));
  const g = new GraphBuilder();
  g.output('same', g.reshape(g.input('z', 'f32', [2, 4]), [8]));
  const copy = await engine.compile(g.build());
  for (const factor of [1, 2]) {
    const scaled = x.map((value) => factor * value);
    await program.run({ x: scaled, w }, { outputs: [], into: { z: into } });
    const { outputs } = await copy.run({ z: into });
    expect(outputs['same']).toEqual(z.map((value) => factor * value));
  }
});

test('every element type goes in and out: f32 compared to bool, bool and i64 to i64', async () => {
  const g = new GraphBuilder();
  const a = g.input('a', 'f32', [3]);
  const ids = g.input('ids', 'i64', [3]);
  const truths = g.input('truths', 'bool', [3]);
  g.output('less', g.less(a, g.scalar(2)));
  g.output('sum', g.add(ids, g.cast(truths, 'i64')));
  const typed = await engine.compile(g.build());
  const { outputs } = await typed.run({
    a: Float32Array.of(1, 2, 3),
    ids: BigInt64Array.of(-1n, 0n, 2n ** 62n),
    truths: Uint8Array.of(0, 1, 1),
  });
  expect(outputs['less']).toEqual(Uint8Array.of(1, 0, 0));
  expect(outputs['sum']).toEqual(BigInt64Array.of(-1n, 1n, 2n ** 62n + 1n));
});

test.each([
  ['a missing input', { x }, 'The input w is missing.'],
  ['an unknown input', { x, w, v: x }, 'The graph has no input v; it has x, w.'],
  ['a wrong size', { x, w: x }, 'w has 6 elements; [4, 3] needs 12.'],
  ['a wrong type', { x: BigInt64Array.of(1n), w }, 'x is f32, but its data is a BigInt64Array.'],
])('%s is refused before ONNX Runtime sees it', async (_what, inputs, message) => {
  await expect(program.run(inputs as never)).rejects.toMatchObject({ code: 'shape', message });
});

test('a run that is cancelled under way rejects at once, and the engine goes on', async () => {
  const slow = await engine.compile(slowGraph(1024, 60));
  const weights = await engine.store('f32', [1024, 1024], new Float32Array(2 ** 20).fill(1e-3));
  const whole = performance.now();
  await slow.run({ w: weights }, { outputs: [], keep: ['y'] });
  const unbroken = performance.now() - whole;
  const controller = new AbortController();
  const start = performance.now();
  const running = slow.run({ w: weights }, { signal: controller.signal, keep: ['y'] });
  setTimeout(() => controller.abort(), 20);
  await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  expect(performance.now() - start).toBeLessThan(unbroken / 2);
  await expect(slow.run({ w: weights }, { signal: controller.signal })).rejects.toMatchObject({
    code: 'cancelled',
  });
  expect((await program.run({ x, w })).outputs).toEqual({ y, z });
  await slow.close();
});

test('a graph that ONNX Runtime does not take is an error with its words', async () => {
  const { inputs, nodes } = productGraph();
  const stray = { id: 99, type: 'f32', shape: [1] } as const;
  const broken = engine.compile({ inputs, nodes, outputs: [{ name: 'stray', value: stray }] });
  await expect(broken).rejects.toMatchObject({
    code: 'engine',
    message: expect.stringMatching(/^ONNX Runtime: This is an invalid model\./),
  });
});

test('closing waits for a run under way; what comes after is refused', async () => {
  const closing = await openOnnxEngine({ threads: 1, providers: ['cpu'] });
  const slow = await closing.compile(slowGraph(512, 20));
  const running = slow.run({ w: new Float32Array(2 ** 18) });
  const closed = closing.close();
  expect((await running).outputs['y']).toHaveLength(2 ** 18);
  await closed;
  await expect(slow.run({ w: new Float32Array(2 ** 18) })).rejects.toMatchObject({
    code: 'engine',
    message: 'The engine was closed.',
  });
});

test('a provider that does not load is an error with the reason, before any graph', async () => {
  await expect(openOnnxEngine({ providers: ['qnn'] })).rejects.toMatchObject({
    code: 'engine',
    message: expect.stringContaining('qnn: '),
  });
});

test('twenty engines opened and closed in one process leave it in peace: exit code 0', async () => {
  const child = fork(resolve(import.meta.dirname, 'open-engines.mjs'), ['20']);
  const code = await new Promise((done) => child.once('exit', done));
  expect(code).toBe(0);
});
