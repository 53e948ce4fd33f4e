import type { TensorData } from '../../graph/value.ts';
import { tensorOfInput } from '../../models/graph/decoder.ts';
import { noMoments, type SecondMoments, type TensorEvidence } from './evidence.ts';
import { addSquares } from './moments.ts';
import type { ObservedMatrix } from './observed-matrix.ts';

type MomentsSize = Pick<SecondMoments, 'experts' | 'size'>;

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

  /** Makes sums of 0 for every matrix of a block. */
  declareBlock(side: Side, matrices: readonly ObservedMatrix[], index: number): void {
    for (const { matrix, ...size } of matrices)
      this.declare(side, tensorOfInput(`${matrix}.weight`, index), size);
  }

  /** Makes sums of 0 for a matrix. */
  declare(side: Side, name: string, { experts, size }: MomentsSize): void {
    this.#sides[side].set(name, noMoments(experts, size));
  }

  /** All sums, and all counts. */
  get arrays(): Float64Array[] {
    const moments = Object.values(this.#sides).flatMap((side) => [...side.values()]);
    return moments.flatMap(({ sums, counts }) => [sums, counts]);
  }

  /** Adds what a run of block `index` over so many tokens gave. */
  addBlock(
    side: Side,
    matrices: readonly ObservedMatrix[],
    { index, outputs, tokens }: BlockRun,
  ): void {
    for (const { matrix, sums, counts } of matrices) {
      const name = tensorOfInput(`${matrix}.weight`, index);
      const seen = counts === undefined ? [tokens] : (outputs[counts] as Float32Array);
      addSquares(
        this.#sides[side].get(name)!,
        outputs[sums] as Float32Array,
        seen,
        describe[side](name),
      );
    }
  }

  /** Adds sums of a matrix outside the blocks. */
  add(side: Side, name: string, sums: Float32Array, tokens: number): void {
    addSquares(this.#sides[side].get(name)!, sums, [tokens], describe[side](name));
  }

  /** What there is of each matrix. */
  result(): ReadonlyMap<string, TensorEvidence> {
    const { inputs, outputs } = this.#sides;
    return new Map(
      [...inputs].map(([name, moments]) => {
        const gradients = outputs.get(name);
        return [
          name,
          {
            inputs: moments,
            ...(gradients && { outputs: gradients }),
          },
        ];
      }),
    );
  }
}

/** What a block gave for some tokens. */
export interface BlockRun {
  readonly index: number;
  readonly outputs: Readonly<Record<string, TensorData>>;
  readonly tokens: number;
}
