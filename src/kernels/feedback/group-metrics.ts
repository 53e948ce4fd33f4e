import type { FactorBlock } from './factors.ts';

interface GroupSizes {
  readonly weights: number;
  readonly width: number;
}

const known = new WeakMap<Float32Array, Map<string, Float32Array[]>>();

/**
 * What errors of each group of `width` weights cost once all weights after it make up for them: the inverse
 * of `Aᵀ A`, A being the group's triangle on the diagonal of the factor. Kept as long as the factor.
 *
 * @param column - Of the factor's block, where the first of the `weights` lies.
 */
export function groupMetrics(
  factor: FactorBlock,
  column: number,
  sizes: GroupSizes,
): Float32Array[] {
  const { values } = factor;
  const ofFactor = known.get(values) ?? new Map<string, Float32Array[]>();
  known.set(values, ofFactor);
  const key = `${column} ${sizes.weights} ${sizes.width}`;
  const found = ofFactor.get(key) ?? metricsAt(factor, column, sizes);
  ofFactor.set(key, found);
  return found;
}

function metricsAt(
  factor: FactorBlock,
  column: number,
  { weights, width }: GroupSizes,
): Float32Array[] {
  return Array.from({ length: weights / width }, (_, group) => {
    const inverse = invertTriangle(factor, column + group * width, width);
    return Float32Array.from({ length: width * width }, (__, at) => {
      const [i, j] = [Math.floor(at / width), at % width];
      let sum = 0;
      for (let k = Math.max(i, j); k < width; k++)
        sum += inverse[i * width + k]! * inverse[j * width + k]!;
      return sum;
    });
  });
}

/** The inverse of the upper triangle of `width` rows from `first` on. */
function invertTriangle(
  { values, stride }: FactorBlock,
  first: number,
  width: number,
): Float64Array {
  const at = (i: number, j: number) => values[(first + i) * stride + first + j]!;
  const inverse = new Float64Array(width * width);
  for (let j = 0; j < width; j++) {
    inverse[j * width + j] = 1 / at(j, j);
    for (let i = j - 1; i >= 0; i--) {
      let sum = 0;
      for (let k = i + 1; k <= j; k++) sum += at(i, k) * inverse[k * width + j]!;
      inverse[i * width + j] = -sum / at(i, i);
    }
  }
  return inverse;
}
