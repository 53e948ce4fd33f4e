import { BlockPrograms, type BlockProgramsParts } from '../../evaluate/onnx/block-programs.ts';
import type { WindowShape } from '../../evaluate/onnx/window-batch.ts';
import { tensorOfInput } from '../../models/graph/decoder.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import { outputsOf, type ObservedGraph, type ObservedMatrix } from './observed-matrix.ts';
import { productsOf, type NamedHessian } from './running-hessians.ts';

/** Makes the graph of blocks of a kind. */
type Observe = (model: ModelOutline, kind: number, shape: WindowShape) => ObservedGraph;

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

  /** The tensor's name of a matrix of block `index`. */
  static nameOf(index: number): (matrix: string) => string {
    return (matrix) => tensorOfInput(`${matrix}.weight`, index);
  }

  /** The outputs of block `index` with sums of squares and counts. */
  sums(index: number): string[] {
    return outputsOf(this.matrices(index));
  }

  /** The Hessians and Gram matrices of block `index`. */
  products(index: number): readonly NamedHessian[] {
    return productsOf(this.matrices(index), ObservedBlocks.nameOf(index));
  }

  #of(kind: number): ObservedGraph {
    const known = this.#kinds.get(kind) ?? this.#graph(kind);
    this.#kinds.set(kind, known);
    return known;
  }
}
