import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { openUrl } from './http-source.ts';

const content = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251);
let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((done) => (server ? server.close(done) : done(undefined)));
  server = undefined;
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((ready) => server!.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.gguf`;
}

/** An honest server; `change` alters the answer of one range request. */
function ranged(
  change: (answer: { headers: Record<string, string>; body: Uint8Array }, first: number) => void,
): RequestListener {
  return (request, response) => {
    const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '')!.map(Number);
    const answer = {
      headers: { 'content-range': `bytes ${first}-${last}/${content.length}`, etag: '"one"' },
      body: content.subarray(first, last! + 1),
    };
    change(answer, first!);
    response.writeHead(206, answer.headers).end(answer.body);
  };
}
const honest = ranged(() => {});

test('reads ranges of an honest server, 20 at once, with the caller’s headers', async () => {
  const tokens = new Set<string | undefined>();
  const url = await serve((request, response) => {
    tokens.add(request.headers.authorization);
    honest(request, response);
  });
  const source = await openUrl(url, { headers: { authorization: 'Bearer x' } });
  expect([source.byteLength, source.name]).toEqual([5000, url]);
  const starts = Array.from({ length: 20 }, (_, i) => i * 240);
  const reads = await Promise.all(starts.map((start) => source.read(start, 400)));
  expect(reads).toEqual(starts.map((start) => content.slice(start, start + 400)));
  expect(await source.read(5000, 0)).toEqual(new Uint8Array(0));
  await expect(source.read(4999, 2)).rejects.toMatchObject({ code: 'truncated' });
  expect([...tokens]).toEqual(['Bearer x']);
});

test('follows a redirect', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/other') honest(request, response);
    else response.writeHead(302, { location: '/other' }).end();
  });
  const source = await openUrl(url);
  expect(await source.read(10, 5)).toEqual(content.slice(10, 15));
});

test('an empty file has 0 bytes', async () => {
  const url = await serve((_, response) => {
    response.writeHead(416, { 'content-range': 'bytes */0' }).end();
  });
  expect((await openUrl(url)).byteLength).toBe(0);
});

test('a server without ranges is unsupported, and its endless body is not read', async () => {
  const url = await serve((_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(new Uint8Array(65536)), 1);
    response.on('close', () => clearInterval(timer));
  });
  await expect(openUrl(url)).rejects.toMatchObject({
    code: 'unsupported',
    hint: 'Download the file first and give its path.',
  });
});

test.each([
  [404, 'not-found'],
  [401, 'no-permission'],
  [403, 'no-permission'],
  [500, 'io'],
])('status %i is %s', async (status, code) => {
  const url = await serve((_, response) => response.writeHead(status).end('no'));
  await expect(openUrl(url)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(String(status)),
  });
});

test.each([
  ['another range than asked for', 'bytes 1-2/5000'],
  ['a range without the total', 'bytes 0-0/*'],
  ['no Content-Range', ''],
])('%s is refused', async (_, contentRange) => {
  const url = await serve(ranged(({ headers }) => (headers['content-range'] = contentRange)));
  await expect(openUrl(url)).rejects.toMatchObject({ code: 'unsupported' });
});

test('too long and too short answers are refused', async () => {
  const long = ranged((answer, first) => {
    if (first === 100) answer.body = new Uint8Array(1000);
    if (first === 200) answer.body = new Uint8Array(5);
  });
  const source = await openUrl(await serve(long));
  await expect(source.read(100, 10)).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining('more than the 10 bytes'),
  });
  await expect(source.read(200, 10)).rejects.toMatchObject({
    code: 'truncated',
    message: expect.stringContaining('5 of 10 bytes'),
  });
});

test('a file that changes between reads is noticed by its size or its ETag', async () => {
  const changing = ranged(({ headers }, first) => {
    if (first === 100) headers['etag'] = '"two"';
    if (first === 200) headers['content-range'] = 'bytes 200-209/6000';
  });
  const source = await openUrl(await serve(changing));
  await expect(source.read(100, 10)).rejects.toMatchObject({ code: 'io' });
  await expect(source.read(200, 10)).rejects.toMatchObject({
    message: expect.stringContaining('5000 bytes before, 6000 now'),
  });
});

test('a silent server ends in io after the time limit; a slow one does not', async () => {
  const url = await serve((request, response) => {
    if (request.headers.range === 'bytes=0-0') honest(request, response);
    else if (request.headers.range === 'bytes=100-103') {
      response.writeHead(206, { 'content-range': 'bytes 100-103/5000', etag: '"one"' });
      [100, 101, 102, 103].forEach((at, i) => {
        setTimeout(() => response.write(content.subarray(at, at + 1)), i * 100);
      });
      setTimeout(() => response.end(), 400);
    }
  });
  const source = await openUrl(url, { timeoutMs: 300 });
  expect(await source.read(100, 4)).toEqual(content.slice(100, 104));
  await expect(source.read(0, 4)).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining('silent for 300 ms'),
  });
});

test('the caller’s signal gives cancelled', async () => {
  const stop = new AbortController();
  const url = await serve(() => setTimeout(() => stop.abort(), 20));
  await expect(openUrl(url, { signal: stop.signal })).rejects.toMatchObject({ code: 'cancelled' });
});

test('a connection that is refused is io and says so', async () => {
  const url = await serve(honest);
  server!.close();
  await expect(openUrl(url)).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});
