import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { groupValues } from '../../dist/compress/groups/group-codes.js';
import { packMatMulNBits } from '../../dist/compress/groups/pack-matmul-nbits.js';
import { roundToNearest } from '../../dist/compress/groups/round-to-nearest.js';
import { writeOnnx } from '../../dist/formats/onnx/index.js';
import type { OnnxElementType, OnnxModel, OnnxTensor } from '../../dist/formats/onnx/index.js';
import { seededRandom } from '../../src/util/random.ts';

type Packed = ReturnType<typeof packMatMulNBits>;

function constant(
  name: string,
  elementType: OnnxElementType,
  shape: readonly number[],
  { buffer, byteOffset, byteLength }: Uint8Array | Float32Array,
): OnnxTensor {
  const data = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  return { name, elementType, shape, data };
}

/** y = x · Wᵀ with one MatMulNBits. */
function model({ weights, scales, zeroPoints, attributes }: Packed): OnnxModel {
  const { N, K, bits, block_size: blockSize } = attributes;
  const groups = Math.ceil(K / blockSize);
  const zeros = zeroPoints && constant('zeros', 'UINT8', [N, zeroPoints.length / N], zeroPoints);
  return {
    irVersion: 10,
    opsets: { '': 21, 'com.microsoft': 1 },
    producerName: 'pith',
    producerVersion: '0',
    metadata: {},
    graph: {
      name: 'matmul-nbits',
      inputs: [{ name: 'x', elementType: 'FLOAT', shape: ['rows', K] }],
      outputs: [{ name: 'y', elementType: 'FLOAT', shape: ['rows', N] }],
      initializers: [
        constant('B', 'UINT8', [N, groups, (blockSize * bits) / 8], weights),
        constant('scales', 'FLOAT', [N, groups], scales),
        ...(zeros ? [zeros] : []),
      ],
      nodes: [
        {
          opType: 'MatMulNBits',
          domain: 'com.microsoft',
          inputs: ['x', 'B', 'scales', ...(zeros ? ['zeros'] : [])],
          outputs: ['y'],
          attributes: Object.fromEntries(
            Object.entries(attributes).map(([name, value]) => [name, { type: 'int', value }]),
          ),
        },
      ],
    },
  };
}

const [rows, tokens] = [40, 3];

test.each([
  { bits: 4, groupSize: 32, symmetric: true, columns: 128 },
  { bits: 4, groupSize: 32, symmetric: false, columns: 128 },
  { bits: 4, groupSize: 32, symmetric: true, negativeScales: true, columns: 128 },
  { bits: 4, groupSize: 16, symmetric: false, columns: 80 },
  { bits: 4, groupSize: 64, symmetric: false, columns: 100 },
  { bits: 4, groupSize: 128, symmetric: true, columns: 384 },
  { bits: 8, groupSize: 32, symmetric: true, columns: 128 },
  { bits: 8, groupSize: 64, symmetric: false, columns: 192 },
  { bits: 2, groupSize: 64, symmetric: false, columns: 192 },
] as const)(
  'MatMulNBits of ONNX Runtime multiplies by our weights to 1e-5: $bits bits, groups of $groupSize of $columns, symmetric: $symmetric',
  async ({ columns, ...grid }) => {
    const random = seededRandom(columns + grid.bits);
    const gaussians = (count: number) =>
      Float32Array.from({ length: count }, () => random.normal());
    const quantized = roundToNearest({ values: gaussians(rows * columns), columns }, grid);
    const read = groupValues(quantized);
    const x = gaussians(tokens * columns);
    const session = await InferenceSession.create(
      await writeOnnx(model(packMatMulNBits(quantized))),
    );
    const { y } = await session.run({ x: new Tensor('float32', x, [tokens, columns]) });
    await session.release();
    const found = y!.data as Float32Array;
    const deltas = found.map((value, at) => {
      const [token, row] = [Math.floor(at / rows), at % rows];
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += x[token * columns + k]! * read[row * columns + k]!;
      return Math.abs(value - sum);
    });
    expect(found).toHaveLength(tokens * rows);
    expect(Math.max(...deltas) / Math.sqrt(columns)).toBeLessThan(1e-5);
  },
);
