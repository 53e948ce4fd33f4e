import { BlockPrograms, type BlockProgramsParts } from '../../evaluate/onnx/block-programs.ts';
import type { WindowShape } from '../../evaluate/onnx/window-batch.ts';
import { tensorOfInput } from '../../models/graph/decoder.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import type { ObservedHessian } from './observe-hessian.ts';
import type { ObservedGraph, ObservedMatrix } from './observed-matrix.ts';
import type { NamedHessian } from './running-hessians.ts';

/** Makes the graph of blocks of a kind. */
type Observe = (model: ModelOutline, kind: number, shape: WindowShape) => ObservedGraph;

/** What the Gram matrix of a matrix is kept under. */
export function gramKey(matrix: string): string {
  return `${matrix}.gram`;
}

/** The programs of blocks in one direction, and what their outputs tell of; all windows have one shape. */
export class ObservedBlocks {
  readonly programs: BlockPrograms;
  readonly #kinds = new Map<number, ObservedGraph>();
  readonly #graph: (kind: number) => ObservedGraph;

  constructor(parts: Omit<BlockProgramsParts, 'block'>, observe: Observe, shape: WindowShape) {
    this.#graph = (kind) => observe(parts.model, kind, shape);
    const block = (kind: number) => this.#of(kind).graph;
    this.programs = new BlockPrograms({ ...parts, block });
  }

  /** The matrices of block `index`. */
  matrices(index: number): readonly ObservedMatrix[] {
    return this.#of(this.programs.kinds[index]!).matrices;
  }

  /** The outputs of block `index` with sums of squares and counts. */
  sums(index: number): string[] {
    const names = this.matrices(index).flatMap(({ sums, counts }) => [
      sums,
      ...(counts === undefined ? [] : [counts]),
    ]);
    return [...new Set(names)];
  }

  /** The Hessians of block `index`, each under the name of the first matrix that has it, and the Gram matrices. */
  products(index: number): readonly NamedHessian[] {
    return [...this.#hessians(index), ...this.#grams(index)];
  }

  #hessians(index: number): readonly NamedHessian[] {
    const named = new Map<ObservedHessian, { name: string; sharers: string[] }>();
    for (const { matrix, hessian } of this.matrices(index)) {
      if (!hessian) continue;
      const name = tensorOfInput(`${matrix}.weight`, index);
      const known = named.get(hessian);
      if (known) known.sharers.push(name);
      else named.set(hessian, { name, sharers: [name] });
    }
    return [...named].map(([hessian, names]) => ({ ...hessian, ...names, isGram: false }));
  }

  #grams(index: number): readonly NamedHessian[] {
    return this.matrices(index).flatMap(({ matrix, gram }) => {
      if (!gram) return [];
      const of = tensorOfInput(`${matrix}.weight`, index);
      return [{ ...gram, name: gramKey(of), sharers: [of], isGram: true }];
    });
  }

  #of(kind: number): ObservedGraph {
    const known = this.#kinds.get(kind) ?? this.#graph(kind);
    this.#kinds.set(kind, known);
    return known;
  }
}
