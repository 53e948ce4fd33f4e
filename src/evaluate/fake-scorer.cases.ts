import type { ScoreOptions, TokenScorer, TokenWindow, WindowScores } from './scorer.ts';

/** The probabilities of every token after some tokens; they sum to 1. */
export type Predict = (before: Int32Array) => readonly number[];

/** A model that is a function, for tests. */
export function fakeScorer(vocabulary: number, predict: Predict): TokenScorer {
  return {
    engine: 'onnx',
    device: 'cpu',
    vocabulary,
    contextLength: 1024,
    score: async (window, options = {}) => scoresOf(window, options, predict),
    close: async () => undefined,
  };
}

function scoresOf(
  { tokens, first }: TokenWindow,
  { top = 0, at, signal }: ScoreOptions,
  predict: Predict,
): WindowScores {
  signal?.throwIfAborted();
  const positions = Array.from(tokens.subarray(first), (token, row) => {
    const logs = predict(tokens.subarray(0, first + row)).map(Math.log);
    const order = logs.map((_, id) => id).sort((a, b) => logs[b]! - logs[a]! || a - b);
    return { token, logs, order: order.slice(0, Math.max(1, top)) };
  });
  const width = at ? at.length / positions.length : 0;
  return {
    logProbs: Float32Array.from(positions, ({ logs, token }) => logs[token]!),
    best: Int32Array.from(positions, ({ order }) => order[0]!),
    top: {
      ids: Int32Array.from(positions.flatMap(({ order }) => order)),
      logProbs: Float32Array.from(
        positions.flatMap(({ logs, order }) => order.map((id) => logs[id]!)),
      ),
    },
    ...(at && {
      at: Float32Array.from(at, (id, place) => positions[Math.floor(place / width)]!.logs[id]!),
    }),
  };
}

/** Every token alike. */
export function uniform(vocabulary: number): TokenScorer {
  const share = Array.from({ length: vocabulary }, () => 1 / vocabulary);
  return fakeScorer(vocabulary, () => share);
}
