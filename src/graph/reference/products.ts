import { sizeOf } from '../shapes.ts';
import type { Kernels } from './kernel.ts';
import { broadcastData, broadcastOffsets } from './numbers.ts';

/** Products of matrices. */
export const products: Kernels<'matmul' | 'gemm'> = {
  matmul: ([a, b], _, [result]) => {
    const [rows, columns] = result!.shape.slice(-2) as [number, number];
    const inner = a.shape.at(-1)!;
    const leading = result!.shape.slice(0, -2);
    const batchA = broadcastOffsets(a.shape.slice(0, -2), leading);
    const batchB = broadcastOffsets(b.shape.slice(0, -2), leading);
    const y = new Float64Array(sizeOf(result!.shape));
    for (let batch = 0; batch < batchA.length; batch++)
      for (let row = 0; row < rows; row++)
        for (let k = 0; k < inner; k++) {
          const factor = a.data[(batchA[batch]! * rows + row) * inner + k]!;
          const from = (batchB[batch]! * inner + k) * columns;
          const to = (batch * rows + row) * columns;
          for (let column = 0; column < columns; column++)
            y[to + column]! += factor * b.data[from + column]!;
        }
    return [y];
  },
  gemm: ([a, b, bias], { transA, transB }, [result]) => {
    const [rows, columns] = result!.shape as [number, number];
    const inner = a.shape[transA ? 0 : 1]!;
    const y = bias ? broadcastData(bias, result!.shape) : new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        for (let k = 0; k < inner; k++) {
          const left = a.data[transA ? k * rows + row : row * inner + k]!;
          const right = b.data[transB ? column * inner + k : k * columns + column]!;
          y[row * columns + column]! += left * right;
        }
    return [y];
  },
};
