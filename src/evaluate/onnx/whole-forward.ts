import type { Engine, StoredTensor } from '../../graph/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import { blockCount } from '../../models/graph/decoder-plan.ts';
import { decoderGraph } from '../../models/graph/decoder.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import type { Forward, PassControl } from './forward.ts';
import { partFor, Programs, weightNames } from './programs.ts';
import type { WeightStore } from './weight-store.ts';
import type { TokenBatch, WindowShape } from './window-batch.ts';

/** All blocks in one program, all weights at the engine. */
export class WholeForward implements Forward {
  readonly #model: ModelOutline;
  readonly #weights: WeightStore;
  readonly #programs: Programs;

  constructor(model: ModelOutline, engine: Engine, weights: WeightStore) {
    this.#model = model;
    this.#weights = weights;
    this.#programs = new Programs(engine);
  }

  async *run(batches: readonly TokenBatch[], { check }: PassControl): AsyncGenerator<StoredTensor> {
    for (const { shape, tokens } of batches) {
      check();
      const program = await this.#programs.get(`${shape.length}`, () => this.#graph(shape));
      const inputs: Record<string, StoredTensor> = {};
      for (const name of weightNames(program.graph)) inputs[name] = await this.#weights.get(name);
      const { kept } = await program.run({ ...inputs, tokens }, { outputs: [], keep: ['hidden'] });
      yield kept['hidden']!;
    }
  }

  close(): Promise<void> {
    return this.#programs.close();
  }

  #graph(shape: WindowShape): Graph {
    const last = `blk.${blockCount(this.#model) - 1}.output`;
    return partFor(decoderGraph(this.#model, { ...shape, taps: [last] }), last, 'hidden');
  }
}
