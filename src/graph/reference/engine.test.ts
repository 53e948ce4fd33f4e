import { expect, test } from 'vitest';
import { GraphBuilder } from '../builder.ts';
import { int64 } from '../tensor-data.ts';
import { ReferenceEngine } from './engine.ts';

const g = new GraphBuilder();
const x = g.input('x', 'f32', [3]);
const at = g.input('at', 'i64', [2]);
g.output('picked', g.gather(x, at));
g.output('positive', g.greater(x, g.scalar(0)));
g.output('best', g.argMax(x, 0));
const program = await new ReferenceEngine().compile(g.build());
const inputs = { x: Float32Array.of(-1, 0.1, 7), at: int64([2, 1]) };

test('results have the arrays of their element types, f32 rounded', async () => {
  const { outputs, kept } = await program.run(inputs);
  expect(outputs).toEqual({
    picked: Float32Array.of(7, 0.1),
    positive: Uint8Array.of(0, 1, 1),
    best: int64([2]),
  });
  expect(kept).toEqual({});
});

test('a result that is kept is an input of the next run', async () => {
  const engine = new ReferenceEngine();
  const step = new GraphBuilder();
  step.output('next', step.mul(step.input('state', 'f32', [1]), step.scalar(2)));
  const double = await engine.compile(step.build());
  let state = await engine.store('f32', [1], Float32Array.of(1));
  for (let i = 0; i < 10; i++) {
    const { kept, outputs } = await double.run({ state }, { keep: ['next'] });
    expect(outputs).toEqual({});
    state = kept['next']!;
  }
  const { outputs } = await double.run({ state });
  expect(outputs['next']).toEqual(Float32Array.of(2048));
});

test('only the outputs that are asked for are returned', async () => {
  const { outputs } = await program.run(inputs, { outputs: ['best'] });
  expect(Object.keys(outputs)).toEqual(['best']);
});

test.each([
  [{ x: inputs.x }, "input 'at' i64 [2] is missing"],
  [{ ...inputs, att: inputs.at }, "the graph has no input 'att'"],
  [{ ...inputs, x: new Float32Array(4) }, "input 'x' is f32 [3], given 4 elements of f32"],
  [{ ...inputs, x: int64([1, 2, 3]) }, "input 'x' is f32 [3], given 3 elements of i64"],
  [{ ...inputs, at: int64([2, 3]) }, 'gather: index 3 is not within 0 to 2'],
])('inputs that do not fit are refused', async (wrong, message) => {
  await expect(program.run(wrong)).rejects.toThrow(message);
});

test('a cancelled run does nothing', async () => {
  const signal = AbortSignal.abort();
  await expect(program.run(inputs, { signal })).rejects.toMatchObject({ code: 'cancelled' });
});
