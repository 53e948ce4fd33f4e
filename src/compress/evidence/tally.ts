import type { TensorData } from '../../graph/value.ts';
import { tensorOfInput } from '../../models/graph/decoder.ts';
import { noMoments, type Hessian, type SecondMoments, type TensorEvidence } from './evidence.ts';
import { addSquares } from './moments.ts';
import type { ObservedMatrix } from './observed-matrix.ts';

/** Which end of a matrix. */
export type Side = 'inputs' | 'outputs';

const describe: Readonly<Record<Side, (name: string) => string>> = {
  inputs: (name) => `the input of ${name}`,
  outputs: (name) => `the gradient by the output of ${name}`,
};

/** Sums of the windows so far, by matrix. */
export class Tally {
  readonly #sides: Readonly<Record<Side, Map<string, SecondMoments>>> = {
    inputs: new Map(),
    outputs: new Map(),
  };

  readonly #hessians = new Map<string, Hessian>();

  /** Adds what a run of block `index` over so many tokens gave. */
  addBlock(
    side: Side,
    matrices: readonly ObservedMatrix[],
    { index, outputs, tokens }: BlockRun,
  ): void {
    for (const { matrix, sums, counts, experts, size } of matrices) {
      const name = tensorOfInput(`${matrix}.weight`, index);
      const moments = this.#moments(side, name, { experts, size });
      const seen = counts === undefined ? [tokens] : (outputs[counts] as Float32Array);
      addSquares(moments, outputs[sums] as Float32Array, seen, describe[side](name));
    }
    this.#addHessians(matrices, index, outputs);
  }

  /** Adds sums of a matrix outside the blocks. */
  add(side: Side, name: string, sums: Float32Array, tokens: number): void {
    const moments = this.#moments(side, name, { experts: 1, size: sums.length });
    addSquares(moments, sums, [tokens], describe[side](name));
  }

  /** What there is of each matrix. */
  result(): ReadonlyMap<string, TensorEvidence> {
    const { inputs, outputs } = this.#sides;
    return new Map(
      [...inputs].map(([name, moments]) => {
        const gradients = outputs.get(name);
        const hessian = this.#hessians.get(name);
        return [
          name,
          {
            inputs: moments,
            ...(gradients && { outputs: gradients }),
            ...(hessian && { hessian }),
          },
        ];
      }),
    );
  }

  /** Matrices that share an output share the sum. */
  #addHessians(
    matrices: readonly ObservedMatrix[],
    index: number,
    outputs: BlockRun['outputs'],
  ): void {
    const sums = new Map<string, Hessian>();
    for (const { matrix, hessian } of matrices) {
      if (hessian === undefined) continue;
      const name = tensorOfInput(`${matrix}.weight`, index);
      const known = sums.get(hessian.output);
      if (known) this.#hessians.set(name, known);
      else {
        const found = outputs[hessian.output] as Float32Array;
        sums.set(hessian.output, this.addHessian(name, found, hessian.blockSize));
      }
    }
  }

  /** Adds the Hessian of a matrix. */
  addHessian(name: string, sums: Float32Array, blockSize: number): Hessian {
    const known = this.#hessians.get(name) ?? {
      blockSize,
      sums: new Float64Array(sums.length),
    };
    for (const [at, sum] of sums.entries()) known.sums[at]! += sum;
    this.#hessians.set(name, known);
    return known;
  }

  #moments(side: Side, name: string, { experts, size }: Pick<SecondMoments, 'experts' | 'size'>) {
    const known = this.#sides[side].get(name);
    if (known) return known;
    const moments = noMoments(experts, size);
    this.#sides[side].set(name, moments);
    return moments;
  }
}

/** What a block gave for some tokens. */
export interface BlockRun {
  readonly index: number;
  readonly outputs: Readonly<Record<string, TensorData>>;
  readonly tokens: number;
}
