import {
  openLlamaLogits,
  type LlamaLogitsOptions,
  type Prediction,
} from '../runtime/llama-logits.ts';
import { PithError } from '../util/errors.ts';
import { checkWindow } from './check-window.ts';
import type { ScoreOptions, TokenScorer, TokenWindow, WindowScores } from './scorer.ts';

/**
 * Opens a GGUF file as it runs in llama.cpp.
 *
 * Up to `sequences` windows scored at once are computed together, which also lets as many cores read
 * the logits. A file that contradicts itself can crash the process: commands that use this are
 * `isolated`. NaN logits throw `not-finite` with the position; llama.cpp does not tell the block.
 *
 * @throws PithError as `openLlama`: a bad file, a context that is too long, a missing engine.
 * @remarks A window costs its prefill and, for each scored token, passes over the vocabulary on one
 * core: at 4096 tokens 0.2 ms, 0.5 ms with 256 tokens of `at` or `top`; at 32,000 these 256 cost 1.9 ms
 * more. node-llama-cpp 3.22.1 hands out logits one number at a time, also below its public interface,
 * so that nothing internal is used. Sums over the vocabulary are in 32 bits. Checked in test/peer
 * against the softmax of all logits (2e-5) and against llama-perplexity, token by token (2.4e-4, what
 * its file keeps).
 */
export async function openLlamaScorer(
  path: string,
  options: LlamaLogitsOptions = {},
): Promise<TokenScorer> {
  const model = await openLlamaLogits(path, options);
  return {
    engine: 'llama',
    device: model.device,
    vocabulary: model.vocabulary,
    contextLength: model.contextLength,
    async score(window, settings = {}) {
      checkWindow(window, model, settings);
      const { tokens, first } = window;
      const requests = requestsOf(window, settings);
      const predictions = await model.predict(tokens.subarray(0, -1), requests, settings.signal);
      return toScores(predictions, tokens.subarray(first), settings);
    },
    close: () => model.close(),
  };
}

function requestsOf({ tokens, first }: TokenWindow, { top = 0, at }: ScoreOptions) {
  const targets = Array.from(tokens.subarray(first));
  const width = at === undefined ? 0 : at.length / targets.length;
  return targets.map((target, row) => ({
    tokens: [target, ...(at?.subarray(row * width, (row + 1) * width) ?? [])],
    top,
  }));
}

function toScores(
  predictions: readonly Prediction[],
  targets: Int32Array,
  { top = 0, at }: ScoreOptions,
): WindowScores {
  const n = targets.length;
  const width = at === undefined ? 0 : at.length / n;
  const logProbs = new Float32Array(n);
  const best = new Int32Array(n);
  const topIds = new Int32Array(n * top);
  const topLogProbs = new Float32Array(n * top);
  const atLogProbs = new Float32Array(n * width);
  predictions.forEach((prediction, row) => {
    const logProb = logProbOf(prediction, row);
    logProbs[row] = logProb(targets[row]!);
    best[row] = prediction.best;
    mostLikely(prediction, top).forEach((token, rank) => {
      topIds[row * top + rank] = token;
      topLogProbs[row * top + rank] = logProb(token);
    });
    for (let i = row * width; i < (row + 1) * width; i++) atLogProbs[i] = logProb(at![i]!);
  });
  return {
    logProbs,
    best,
    ...(top > 0 && { top: { ids: topIds, logProbs: topLogProbs } }),
    ...(at && { at: atLogProbs }),
  };
}

/** The `top` likeliest tokens; equal ones by their id. */
function mostLikely({ logits }: Prediction, top: number): number[] {
  const first = [...logits].slice(0, top);
  return first.sort(([a, x], [b, y]) => y - x || a - b).map(([token]) => token);
}

/** ln P of tokens whose logits were asked for. */
function logProbOf(
  { best, logits, totalWeight }: Prediction,
  row: number,
): (token: number) => number {
  const logTotal = (logits.get(best) ?? NaN) + Math.log(totalWeight);
  return (token) => {
    const logProb = (logits.get(token) ?? NaN) - logTotal;
    if (!Number.isNaN(logProb)) return logProb;
    throw new PithError(
      'not-finite',
      `llama.cpp computes logits that are not numbers at scored token ${row} of a window.`,
      'See whether the weights are finite: pith verify FILE',
    );
  };
}
