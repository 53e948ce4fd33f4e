import { expect, test } from 'vitest';
import { KernelPool } from './pool.ts';
import { scalarKernels } from './scalar.ts';
import type { Slab } from './transcoder.ts';
import { answerRequest, type KernelPort, type KernelRequest } from './worker-protocol.ts';
import { PithError } from '../util/errors.ts';

/** A worker that runs on this thread, a turn of the event loop later, and notes what it was sent. */
function inlinePort() {
  const requests: Exclude<KernelRequest, { kind: 'factor' }>[] = [];
  const listeners: Parameters<KernelPort['listen']>[] = [];
  const port: KernelPort = {
    send(request) {
      if (request.kind !== 'factor') requests.push(request);
      setImmediate(() => listeners[0]?.[0](answerRequest(scalarKernels, request)));
    },
    listen: (...both) => void listeners.push(both),
    close: async () => undefined,
  };
  return { port, requests, fail: (error: Error) => listeners[0]?.[1](error) };
}

const halves = (count: number) => new Uint8Array(new Uint16Array(count).fill(0x3c00).buffer);
const slabOf = (bytes: Uint8Array): Slab => ({ from: 'F16', to: 'Q8_0', columns: 32, bytes });

test('a slab read into reserved memory reaches the worker uncopied, another one as a copy', async () => {
  const { port, requests } = inlinePort();
  const pool = new KernelPool([port]);
  const { bytes } = pool.reserve(128);
  bytes.set(halves(64));
  const own = halves(64);
  const results = [await pool.transcode(slabOf(bytes)), await pool.transcode(slabOf(own))];
  expect(requests.map(({ bytes }) => bytes.buffer instanceof SharedArrayBuffer)).toEqual([
    true,
    true,
  ]);
  expect(requests[0]!.bytes.buffer).toBe(bytes.buffer);
  expect(requests[1]!.bytes).toEqual(own);
  expect(results[0]!.out).toEqual(results[1]!.out);
  expect(results[0]!.squaredNorm).toBe(64);
});

test('memory is used again after its release, and not before', async () => {
  const { port, requests } = inlinePort();
  const pool = new KernelPool([port]);
  const first = pool.reserve(128);
  const second = pool.reserve(128);
  expect(second.bytes.buffer).not.toBe(first.bytes.buffer);
  first.release();
  expect(pool.reserve(100).bytes.buffer).toBe(first.bytes.buffer);
  const result = await pool.transcode(slabOf(halves(64)));
  result.release();
  await pool.firstNonFinite('F16', halves(result.out.length / 2));
  expect(requests[1]!.bytes.buffer).toBe(result.out.buffer);
});

test('a worker holds at most 2 of 10 requests, and two workers share the work', async () => {
  const workers = [inlinePort(), inlinePort()];
  const pool = new KernelPool(workers.map(({ port }) => port));
  const all = Array.from({ length: 10 }, () => pool.firstNonFinite('F16', halves(32)));
  expect(workers.map(({ requests }) => requests.length)).toEqual([2, 2]);
  expect(await Promise.all(all)).toEqual(Array(10).fill(-1));
  expect(workers.map(({ requests }) => requests.length)).toEqual([5, 5]);
});

test('a kernel error comes back with its code, and the pool works on', async () => {
  const { port } = inlinePort();
  const pool = new KernelPool([port]);
  const broken = new Uint8Array(new Uint16Array(32).fill(0x7e00).buffer);
  await expect(pool.transcode(slabOf(broken))).rejects.toMatchObject({ code: 'not-finite' });
  expect((await pool.transcode(slabOf(halves(32)))).out.length).toBe(34);
});

test('a worker that dies rejects what is under way and everything after it', async () => {
  const { port, fail } = inlinePort();
  const pool = new KernelPool([port]);
  const underWay = pool.transcode(slabOf(halves(32)));
  fail(new PithError('engine', 'A kernel thread ended with code 1.'));
  await expect(underWay).rejects.toMatchObject({ code: 'engine' });
  await expect(pool.transcode(slabOf(halves(32)))).rejects.toMatchObject({ code: 'engine' });
});

test('a block is factored into shared memory, or copied where the caller wants it', async () => {
  const pool = new KernelPool([inlinePort().port]);
  const matrix = Float32Array.of(8, 4, 4, 10);
  const shared = new Float32Array(new SharedArrayBuffer(16));
  const own = new Float32Array(4);
  for (const out of [shared, own]) {
    const job = { matrix, size: 2, scale: 0.5, damping: 0, out };
    expect(await pool.factor(job)).toEqual({ ok: true, damping: 0 });
    // H = [[4, 2], [2, 5]]: the cost of x₁ alone, with x₂ free, is 4 − 2 · 2 / 5 = 1 / U₁₁².
    expect(1 / out[0]! ** 2).toBeCloseTo(3.2, 6);
    expect(1 / out[3]! ** 2).toBeCloseTo(5, 6);
  }
});
