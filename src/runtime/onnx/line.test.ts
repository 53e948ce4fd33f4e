import { expect, test } from 'vitest';
import { Line } from './line.ts';
import type { Numbered, OnnxPort, OnnxReply } from './protocol.ts';

/** A port whose other side answers, or dies, when the test says so. */
class FakePort implements OnnxPort {
  readonly sent: Numbered[] = [];
  reply: (reply: OnnxReply) => void = () => undefined;
  die: (error: Error) => void = () => undefined;

  send(message: Numbered): void {
    this.sent.push(message);
  }
  listen(onReply: (reply: OnnxReply) => void, onFailure: (error: Error) => void): void {
    this.reply = onReply;
    this.die = onFailure;
  }
  async ended(): Promise<void> {}
}

test('replies find their requests in any order', async () => {
  const port = new FakePort();
  const line = new Line(port);
  const first = line.ask({ kind: 'release', tensor: 1 });
  const second = line.ask({ kind: 'release', tensor: 2 });
  port.reply({ id: 1, answer: { y: Float32Array.of(2) } });
  port.reply({ id: 0, answer: {} });
  expect(await second).toEqual({ y: Float32Array.of(2) });
  expect(await first).toEqual({});
});

test('a worker that dies rejects what waits and all that comes, with code engine', async () => {
  const port = new FakePort();
  const line = new Line(port);
  const waiting = line.ask({ kind: 'release', tensor: 1 });
  port.die(new Error('out of memory'));
  const dead = { code: 'engine', message: 'ONNX Runtime died: out of memory' };
  await expect(waiting).rejects.toMatchObject(dead);
  await expect(line.ask({ kind: 'release', tensor: 2 })).rejects.toMatchObject(dead);
  await line.close();
  expect(port.sent).toHaveLength(1);
});

test('closing waits for what was asked before and refuses what comes after', async () => {
  const port = new FakePort();
  const line = new Line(port);
  const before = line.ask({ kind: 'release', tensor: 1 });
  const closing = line.close();
  expect(port.sent.map(({ request }) => request.kind)).toEqual(['release', 'close']);
  await expect(line.ask({ kind: 'release', tensor: 2 })).rejects.toMatchObject({
    message: 'The engine was closed.',
  });
  port.reply({ id: 0, answer: {} });
  port.reply({ id: 1, answer: {} });
  expect(await before).toEqual({});
  await closing;
});
