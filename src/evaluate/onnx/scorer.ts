import type { Engine, StoredTensor } from '../../graph/engine.ts';
import type { Model } from '../../models/model.ts';
import { PithError } from '../../util/errors.ts';
import { orCancelled } from '../../util/or-cancelled.ts';
import type { OnProgress } from '../../util/progress.ts';
import { checkWindow } from '../check-window.ts';
import type { ScoreOptions, TokenScorer, TokenWindow, WindowScores } from '../scorer.ts';
import { BlockForward } from './block-forward.ts';
import type { Forward } from './forward.ts';
import { Head } from './head.ts';
import { JobQueue } from './job-queue.ts';
import { atWidth, CollectedScores, headRows, type Job } from './job.ts';
import type { WeightStore } from './weight-store.ts';
import { shapeFor, tokenBatch, windowShapes, type WindowShape } from './window-batch.ts';

/** How a scorer works; decided when it is opened. */
export interface OnnxScorerPlan {
  /** `whole`: all weights at the engine; `byBlock`: two blocks at a time, all windows through each. */
  readonly mode: 'whole' | 'byBlock';
  /** Why this mode, in a sentence. */
  readonly reason: string;
  readonly contextLength: number;
  readonly vocabulary: number;
  readonly windowsAtOnce: number;
}

/** What a scorer is made of. */
export interface OnnxScorerParts {
  readonly model: Model;
  readonly engine: Engine;
  readonly weights: WeightStore;
  readonly forward: Forward;
  readonly onProgress: OnProgress | undefined;
}

/** A pass over few windows would read all weights for little: it waits so long for more to come. */
const quietMs = 100;

/** Windows of one program's size. */
interface Batch {
  readonly shape: WindowShape;
  readonly jobs: readonly Job[];
}

/**
 * Scores windows with a model's weights as f32 on an engine of graphs.
 *
 * Windows that are scored at once share runs (short ones) or passes over the weights (by block).
 */
export class OnnxScorer implements TokenScorer, OnnxScorerPlan {
  readonly engine = 'onnx';
  readonly device: string;
  readonly mode: OnnxScorerPlan['mode'];
  readonly reason: string;
  readonly contextLength: number;
  readonly vocabulary: number;
  readonly windowsAtOnce: number;
  readonly #parts: OnnxScorerParts;
  readonly #shapes: readonly WindowShape[];
  readonly #head: Head;
  readonly #queue: JobQueue;
  #ready: Promise<void> = Promise.resolve();

  constructor(parts: OnnxScorerParts, plan: OnnxScorerPlan) {
    const { model, engine, weights } = parts;
    this.device = engine.provider;
    this.mode = plan.mode;
    this.reason = plan.reason;
    this.contextLength = plan.contextLength;
    this.vocabulary = plan.vocabulary;
    this.windowsAtOnce = plan.windowsAtOnce;
    this.#parts = parts;
    this.#shapes = windowShapes(model, plan.contextLength);
    this.#head = new Head(model, plan.vocabulary, engine, weights);
    const whole = plan.mode === 'whole';
    this.#queue = new JobQueue({
      pick: (waiting) => (whole ? this.#oneRun(waiting) : waiting.slice(0, plan.windowsAtOnce)),
      work: (jobs) => this.#pass(jobs),
      worthwhile: plan.windowsAtOnce,
      quietMs: whole ? 0 : quietMs,
    });
  }

  async score(window: TokenWindow, options: ScoreOptions = {}): Promise<WindowScores> {
    checkWindow(window, this, options);
    await this.#ready;
    const { signal } = options;
    if (signal?.aborted) throw cancelled();
    const scored = new Promise<WindowScores>((resolve, reject) =>
      this.#queue.add({ window, options, resolve, reject }),
    );
    return orCancelled(scored, signal, cancelled);
  }

  /**
   * Lets `values`, row-major f32 that are taken over, stand for a tensor from now on; the model's own
   * weights again when left out. Windows that are being scored still see the old ones.
   *
   * @throws PithError `not-found` for a tensor that the model does not have, `shape` for another number
   *   of weights.
   * @remarks In `whole` mode the engine gets these values and nothing else is touched: hundreds of
   *   candidates can be tried against one loaded model.
   */
  replaceWeights(name: string, values?: Float32Array<ArrayBuffer>): Promise<void> {
    const replaced = this.#ready
      .then(() => this.#queue.idle())
      .then(() => this.#parts.weights.replace(name, values));
    this.#ready = replaced.catch(() => undefined);
    return replaced;
  }

  /** Frees programs and weights; the engine and the model stay open. */
  async close(): Promise<void> {
    await this.#ready;
    await this.#queue.idle();
    await Promise.all([this.#parts.forward.close(), this.#head.close()]);
    await this.#parts.weights.close();
  }

  /** The first window, and those after it that fit the same run. */
  #oneRun(waiting: readonly Job[]): readonly Job[] {
    const shape = this.#shapeOf(waiting[0]!);
    return waiting.filter((job) => this.#shapeOf(job) === shape).slice(0, shape.batch);
  }

  #shapeOf({ window: { tokens } }: Job): WindowShape {
    return shapeFor(this.#shapes, tokens.length);
  }

  /** Scores jobs in one pass through the model; a failure is every job's that has no scores yet. */
  async #pass(jobs: readonly Job[]): Promise<void> {
    try {
      const batches = this.#batches(jobs);
      const tokens = batches.map((batch) =>
        tokenBatch(
          batch.shape,
          batch.jobs.map(({ window }) => window),
        ),
      );
      const check = (): void => {
        if (jobs.every(({ options }) => options.signal?.aborted)) throw cancelled();
      };
      const { forward, onProgress } = this.#parts;
      let at = 0;
      for await (const hidden of forward.run(tokens, { check, onProgress })) {
        check();
        await this.#finish(batches[at++]!, hidden);
      }
      await this.#head.release();
    } catch (error) {
      for (const job of jobs) job.reject(error);
    }
  }

  #batches(jobs: readonly Job[]): Batch[] {
    return this.#shapes.flatMap((shape) => {
      const fitting = jobs.filter((job) => this.#shapeOf(job) === shape);
      const count = Math.ceil(fitting.length / shape.batch);
      return Array.from({ length: count }, (_, index) => ({
        shape,
        jobs: fitting.slice(index * shape.batch, (index + 1) * shape.batch),
      }));
    });
  }

  async #finish({ shape, jobs }: Batch, hidden: StoredTensor): Promise<void> {
    try {
      for (const alike of groupsOf(jobs)) await this.#scoreAlike(alike, jobs, shape, hidden);
    } finally {
      await hidden.release();
    }
  }

  /** Jobs of one batch that ask for the same numbers share the head's runs. */
  async #scoreAlike(
    alike: readonly Job[],
    batch: readonly Job[],
    shape: WindowShape,
    hidden: StoredTensor,
  ): Promise<void> {
    const rows = alike.flatMap((job) => headRows(job, batch.indexOf(job) * shape.length));
    const collected = alike.map((job) => new CollectedScores(job));
    let job = 0;
    for await (const chunk of this.#head.score(hidden, shape, rows, alike[0]!.options.top ?? 0)) {
      for (let first = 0; first < chunk.logProbs.length;) {
        const count = Math.min(collected[job]!.missing, chunk.logProbs.length - first);
        collected[job]!.add(chunk, first, count);
        first += count;
        if (collected[job]!.missing === 0) job++;
      }
    }
    for (const [index, scores] of collected.entries()) await this.#settle(alike[index]!, scores);
  }

  async #settle(job: Job, collected: CollectedScores): Promise<void> {
    const row = collected.firstNaN;
    if (row < 0) job.resolve(collected.scores);
    else job.reject(await this.#notFinite(job, row));
  }

  /** Says which block makes the first NaN, by running the window block by block. */
  async #notFinite(job: Job, row: number): Promise<PithError> {
    const { model, engine, weights } = this.#parts;
    const search = new BlockForward(model, engine, weights);
    const shape = this.#shapeOf(job);
    const position = job.window.first + row;
    const block = await search.firstNonFinite(tokenBatch(shape, [job.window]), position);
    await search.close();
    const place =
      block === undefined
        ? 'the output matrix or the norm before it makes the first'
        : `${block < 0 ? 'the token embedding' : `block ${block} (blk.${block})`} makes the first`;
    return new PithError(
      'not-finite',
      `The logits for token ${position} of a window are not numbers; ${place}.`,
      'See whether the weights are finite: pith verify FILE',
    );
  }
}

/** Jobs that want as many likeliest tokens and as many given ones. */
function groupsOf(jobs: readonly Job[]): Job[][] {
  const groups = new Map<string, Job[]>();
  for (const job of jobs) {
    const key = `${job.options.top ?? 0} ${atWidth(job)}`;
    groups.set(key, [...(groups.get(key) ?? []), job]);
  }
  return [...groups.values()];
}

function cancelled(): PithError {
  return new PithError('cancelled', 'Scoring was cancelled.');
}
