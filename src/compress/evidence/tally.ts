import type { TensorData } from '../../graph/value.ts';
import { noMoments, type SecondMoments, type TensorEvidence } from './evidence.ts';
import { addSquares } from './moments.ts';
import type { ObservedMatrix, Side } from './observed-matrix.ts';

const described: Readonly<Record<Side, string>> = {
  inputs: 'the input',
  peaks32: 'the input',
  peaks256: 'the input',
  outputs: 'the gradient by the output',
};

/** Sums of the windows so far, by matrix. */
export class Tally {
  readonly #sides: Readonly<Record<Side, Map<string, SecondMoments>>> = {
    inputs: new Map(),
    peaks32: new Map(),
    peaks256: new Map(),
    outputs: new Map(),
  };

  /** Makes sums of 0 for matrices. */
  declare(matrices: readonly ObservedMatrix[], nameOf: (matrix: string) => string): void {
    for (const { matrix, side, experts, size } of matrices)
      this.#sides[side].set(nameOf(matrix), noMoments(experts, size));
  }

  /** All sums, and all counts. */
  get arrays(): Float64Array[] {
    const moments = Object.values(this.#sides).flatMap((side) => [...side.values()]);
    return moments.flatMap(({ sums, counts }) => [sums, counts]);
  }

  /** Adds what a run over so many tokens gave. */
  add(matrices: readonly ObservedMatrix[], { nameOf, outputs, tokens }: ObservedRun): void {
    for (const { matrix, side, sums, counts } of matrices) {
      const name = nameOf(matrix);
      const seen = counts === undefined ? [tokens] : (outputs[counts] as Float32Array);
      const what = `${described[side]} of ${name}`;
      addSquares(this.#sides[side].get(name)!, outputs[sums] as Float32Array, seen, what);
    }
  }

  /** What there is of each matrix. */
  result(): ReadonlyMap<string, TensorEvidence> {
    const { inputs, peaks32, peaks256, outputs } = this.#sides;
    return new Map(
      [...inputs].map(([name, moments]) => {
        const [of32, of256] = [peaks32.get(name)!, peaks256.get(name)!];
        const gradients = outputs.get(name);
        const found = { inputs: moments, peaks: { of32, of256 } };
        return [name, gradients ? { ...found, outputs: gradients } : found];
      }),
    );
  }
}

/** What a run of a part of the model gave. */
export interface ObservedRun {
  readonly nameOf: (matrix: string) => string;
  readonly outputs: Readonly<Record<string, TensorData>>;
  readonly tokens: number;
}
