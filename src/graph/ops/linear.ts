import { PithError } from '../../util/errors.ts';
import { broadcast, demandType, sameShape, show } from '../shapes.ts';
import type { Operations } from '../operations.ts';
import type { Value } from '../value.ts';
import { int, node, type Rows } from './rows.ts';

/** Products of matrices. */
export const linear: Rows<'matmul' | 'gemm'> = {
  matmul: {
    infer: ([a, b]) => {
      demandType('matmul', a, ['f32']);
      demandType('matmul', b, ['f32']);
      const [rows, inner] = a.shape.slice(-2);
      const [innerB, columns] = b.shape.slice(-2);
      if (a.shape.length < 2 || b.shape.length < 2 || inner !== innerB)
        throw new PithError(
          'shape',
          `matmul: inner sizes differ, ${show(a.shape)} × ${show(b.shape)}`,
        );
      const leading = broadcast('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
      return [{ type: 'f32', shape: [...leading, rows!, columns!] }];
    },
    onnx: (call) => [node('MatMul', call)],
    gradient: ({ g, dy, inputs: [a, b] }) => [
      g.matmul(dy, swapLast(g, b)),
      g.matmul(swapLast(g, a), dy),
    ],
  },
  gemm: {
    infer: ([a, b, bias], { transA, transB }) => {
      for (const operand of bias ? [a, b, bias] : [a, b]) demandType('gemm', operand, ['f32']);
      const [rows, inner] = transA ? a.shape.toReversed() : a.shape;
      const [innerB, columns] = transB ? b.shape.toReversed() : b.shape;
      if (a.shape.length !== 2 || b.shape.length !== 2 || inner !== innerB)
        throw new PithError(
          'shape',
          `gemm: inner sizes differ, ${show(a.shape)}${transA ? 'ᵀ' : ''} × ${show(b.shape)}${transB ? 'ᵀ' : ''}`,
        );
      const shape = [rows!, columns!];
      if (bias && !sameShape(broadcast('gemm', shape, bias.shape), shape))
        throw new PithError('shape', `gemm: bias ${show(bias.shape)} on ${show(shape)}`);
      return [{ type: 'f32', shape }];
    },
    onnx: (call) => {
      const { transA, transB } = call.attributes;
      return [node('Gemm', call, { attributes: { transA: int(transA), transB: int(transB) } })];
    },
    // With A' and B' as they are read: dA' = dY·B'ᵀ, dB' = A'ᵀ·dY.
    gradient: ({ g, dy, inputs: [a, b, bias], attributes: { transA, transB } }) => {
      const da = transA
        ? g.gemm(b, dy, { transA: transB, transB: true })
        : g.gemm(dy, b, { transB: !transB });
      const db = transB
        ? g.gemm(dy, a, { transA: true, transB: transA })
        : g.gemm(a, dy, { transA: !transA });
      return bias ? [da, db, dy] : [da, db];
    },
  },
};

function swapLast(g: Operations, x: Value): Value {
  const axes = [...x.shape.keys()];
  return g.transpose(x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
}
