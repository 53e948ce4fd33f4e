import type { Engine, StoredTensor } from '../../graph/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph } from '../../graph/graph.ts';
import type { TensorData } from '../../graph/value.ts';
import { headGraph } from '../../models/graph/decoder.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import { Programs, weightNames } from './programs.ts';
import type { WeightStore } from './weight-store.ts';
import type { WindowShape } from './window-batch.ts';

/** A position whose next token is looked up. */
export interface HeadRow {
  /** Row of `[B·T, C]`. */
  readonly position: number;
  readonly target: number;
  /** Further tokens whose probabilities are wanted: as many in every row. */
  readonly at: Int32Array;
}

/** What the vocabulary's distribution says, a row each; `[n]`, `[n, top]` and `[n, at]`. */
export interface HeadScores {
  readonly logProbs: Float32Array;
  readonly best: BigInt64Array;
  readonly topIds: BigInt64Array;
  readonly topLogProbs: Float32Array;
  readonly at: Float32Array;
}

/** Floats of a run's logits, about: 64 MB. */
const logitsAtOnce = 2 ** 24;

/**
 * From the last block's output to log-probabilities: norm, output matrix and the reduction over the
 * vocabulary run at the engine, for a few hundred positions at a time.
 */
export class Head {
  readonly #model: ModelOutline;
  readonly #weights: WeightStore;
  readonly #programs: Programs;
  readonly #rowsAtOnce: number;

  constructor(model: ModelOutline, vocabulary: number, engine: Engine, weights: WeightStore) {
    this.#model = model;
    this.#weights = weights;
    this.#programs = new Programs(engine);
    this.#rowsAtOnce = Math.max(64, Math.min(256, Math.floor(logitsAtOnce / vocabulary)));
  }

  /** Scores of rows in order, a chunk at a time. */
  async *score(
    hidden: StoredTensor,
    shape: WindowShape,
    rows: readonly HeadRow[],
    top: number,
  ): AsyncGenerator<HeadScores> {
    const width = rows[0]?.at.length ?? 0;
    const size = Math.min(this.#rowsAtOnce, shape.batch * shape.length);
    const program = await this.#programs.get(`${shape.length} ${top} ${width}`, () =>
      reductionGraph(this.#model, shape, { rows: size, top, at: width }),
    );
    const weights: Record<string, StoredTensor> = {};
    for (const name of weightNames(program.graph)) weights[name] = await this.#weights.get(name);
    for (let first = 0; first < rows.length; first += size) {
      const chunk = rows.slice(first, first + size);
      const inputs = { ...weights, input: hidden, ...headInputs(chunk, size, width) };
      const { outputs } = await program.run(inputs);
      yield cut(outputs, chunk.length, { top, at: width });
    }
  }

  async release(): Promise<void> {
    await this.#weights.release([...this.#model.tensors.keys()].filter(isOutsideBlocks));
  }

  close(): Promise<void> {
    return this.#programs.close();
  }
}

function isOutsideBlocks(name: string): boolean {
  return !name.startsWith('blk.');
}

/** Rows beyond the last one repeat token 0 at position 0. */
function headInputs(
  rows: readonly HeadRow[],
  size: number,
  width: number,
): Record<string, BigInt64Array> {
  const positions = new BigInt64Array(size);
  const targets = new BigInt64Array(size);
  const wanted = new BigInt64Array(size * width);
  for (const [index, row] of rows.entries()) {
    positions[index] = BigInt(row.position);
    targets[index] = BigInt(row.target);
    for (let i = 0; i < width; i++) wanted[index * width + i] = BigInt(row.at[i]!);
  }
  return { positions, targets, ...(width > 0 && { wanted }) };
}

/** The head with the reduction of its logits `[rows, V]` to the numbers that are wanted. */
function reductionGraph(
  model: ModelOutline,
  shape: WindowShape,
  { rows, top, at }: { rows: number; top: number; at: number },
): Graph {
  const head = headGraph(model, { ...shape, logits: rows });
  const logits = head.outputs.find(({ name }) => name === 'logits')!.value;
  const g = new GraphBuilder({ ...head, outputs: [] });
  const logProbs = g.logSoftmax(logits, -1);
  const targets = g.reshape(g.input('targets', 'i64', [rows]), [rows, 1]);
  g.output('logProbs', g.reshape(g.gatherElements(logProbs, targets, 1), [rows]));
  g.output('best', g.argMax(logits, 1));
  if (top > 0) {
    const [topLogProbs, topIds] = g.topK(logProbs, top, 1);
    g.output('topLogProbs', topLogProbs);
    g.output('topIds', topIds);
  }
  if (at > 0) g.output('at', g.gatherElements(logProbs, g.input('wanted', 'i64', [rows, at]), 1));
  return g.build();
}

function cut(
  outputs: Readonly<Record<string, TensorData>>,
  rows: number,
  { top, at }: { top: number; at: number },
): HeadScores {
  const floats = (name: string, width: number) =>
    ((outputs[name] as Float32Array | undefined) ?? new Float32Array()).subarray(0, rows * width);
  const ids = (name: string, width: number) =>
    ((outputs[name] as BigInt64Array | undefined) ?? new BigInt64Array()).subarray(0, rows * width);
  return {
    logProbs: floats('logProbs', 1),
    best: ids('best', 1),
    topIds: ids('topIds', top),
    topLogProbs: floats('topLogProbs', top),
    at: floats('at', at),
  };
}
