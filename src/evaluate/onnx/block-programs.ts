import type { Engine, Program, RunOptions, RunResult, StoredTensor } from '../../graph/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import type { TensorData } from '../../graph/value.ts';
import { blockKinds, embeddingGraph, tensorOfInput } from '../../models/graph/decoder.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import type { Model } from '../../models/model.ts';
import { Programs, weightNames } from './programs.ts';
import type { WeightStore } from './weight-store.ts';
import type { TokenBatch, WindowShape } from './window-batch.ts';

const embedding = 'token_embd.weight';

/** What programs are made of. */
export interface BlockProgramsParts {
  readonly model: Model;
  readonly engine: Engine;
  readonly weights: WeightStore;
  /** The graph of blocks of one kind, by the first of them; weights and `input` as `blockGraph`'s. */
  readonly block: (kind: number, shape: WindowShape) => Graph;
}

/** A decoder's embedding and blocks as programs; blocks of one kind share one, with weights as inputs. */
export class BlockPrograms {
  /** The kind of each block. */
  readonly kinds: readonly number[];
  readonly #parts: BlockProgramsParts;
  readonly #programs: Programs;

  constructor(parts: BlockProgramsParts) {
    this.#parts = parts;
    this.#programs = new Programs(parts.engine);
    this.kinds = blockKinds(parts.model);
  }

  /** Only the rows of the embedding that the batch needs are at the engine. */
  async embed({ shape, tokens }: TokenBatch, options: RunOptions): Promise<RunResult> {
    const { model, weights } = this.#parts;
    const distinct = [...new Set(tokens)];
    const places = new Map(distinct.map((token, place) => [token, BigInt(place)]));
    const needed = Array.from({ length: tokens.length }, (_, at) => Number(distinct[at] ?? 0n));
    const program = await this.#programs.get(`embedding ${shape.length}`, () =>
      embeddingGraph(withRows(model, tokens.length), shape),
    );
    const inputs: Record<string, TensorData | StoredTensor> = {
      tokens: tokens.map((token) => places.get(token)!),
      [embedding]: await weights.rows(embedding, needed),
    };
    for (const name of weightNames(program.graph))
      if (!(name in inputs)) inputs[name] = await weights.get(name);
    return program.run(inputs, options);
  }

  /** Runs a block on what its graph takes besides weights. */
  async run(
    index: number,
    shape: WindowShape,
    inputs: Readonly<Record<string, TensorData | StoredTensor>>,
    options: RunOptions = {},
  ): Promise<RunResult> {
    const program = await this.#program(index, shape);
    return program.run({ ...(await this.#load(index, shape)), ...inputs }, options);
  }

  /** Loads a block's weights while other work goes on: a failure is unhandled only once it is waited for. */
  loadAhead(index: number, shape: WindowShape): Promise<unknown> {
    const exists = index >= 0 && index < this.kinds.length;
    const loading = exists ? this.#load(index, shape) : Promise.resolve();
    loading.catch(() => undefined);
    return loading;
  }

  /** Frees a block's weights, unless they are residents. */
  release(index: number): Promise<void> {
    const prefix = `blk.${index}.`;
    const { model, weights } = this.#parts;
    return weights.release([...model.tensors.keys()].filter((name) => name.startsWith(prefix)));
  }

  close(): Promise<void> {
    return this.#programs.close();
  }

  #program(index: number, shape: WindowShape): Promise<Program> {
    const kind = this.kinds[index]!;
    return this.#programs.get(`${kind} ${shape.length}`, () => this.#parts.block(kind, shape));
  }

  /** Every weight of a block, under the names that its program has. */
  async #load(index: number, shape: WindowShape): Promise<Readonly<Record<string, StoredTensor>>> {
    const { graph } = await this.#program(index, shape);
    const loaded: Record<string, StoredTensor> = {};
    for (const name of weightNames(graph))
      loaded[name] = await this.#parts.weights.get(tensorOfInput(name, index));
    return loaded;
  }
}

/** The model as if its embedding had so many rows. */
function withRows(model: ModelOutline, rows: number): ModelOutline {
  const table = model.tensors.get(embedding)!;
  const shape = [rows, table.shape[1]!];
  return { ...model, tensors: new Map(model.tensors).set(embedding, { ...table, shape }) };
}
