import type { OnnxModel, OnnxTensor } from './model.ts';

/** A constant of 32-bit floats. */
export function floats(
  name: string,
  shape: readonly number[],
  values: readonly number[],
): OnnxTensor {
  const data = new Uint8Array(Float32Array.from(values).buffer);
  return { name, elementType: 'FLOAT', shape, data };
}

/** y = x · W + b of `[4, 3]`, with one attribute of every type in a node of another domain. */
export function sampleModel(changes: Partial<OnnxModel['graph']> = {}): OnnxModel {
  const branch = {
    name: 'branch',
    nodes: [{ opType: 'Identity', inputs: ['inner'], outputs: ['out'] }],
    inputs: [],
    outputs: [{ name: 'out' }],
    initializers: [floats('inner', [2], [5, 6])],
  };
  return {
    irVersion: 10,
    opsets: { '': 21, 'pith.test': 1 },
    producerName: 'pith',
    producerVersion: '1',
    metadata: { key: 'value' },
    graph: {
      name: 'sample',
      nodes: [
        { opType: 'Gemm', name: 'scores', inputs: ['x', 'W', 'b'], outputs: ['y'] },
        {
          opType: 'Everything',
          domain: 'pith.test',
          inputs: ['y', ''],
          outputs: ['z'],
          attributes: {
            float: { type: 'float', value: -1.5 },
            int: { type: 'int', value: -(2 ** 53) + 1 },
            string: { type: 'string', value: '☃' },
            tensor: { type: 'tensor', value: floats('', [], [0.25]) },
            graph: { type: 'graph', value: branch },
            floats: { type: 'floats', value: [0.5, 0] },
            ints: { type: 'ints', value: [] },
            strings: { type: 'strings', value: ['', 'b'] },
          },
        },
      ],
      inputs: [{ name: 'x', elementType: 'FLOAT', shape: ['rows', 4] }],
      outputs: [
        { name: 'y', elementType: 'FLOAT', shape: ['', 3] },
        { name: 'z', elementType: 'BOOL' },
      ],
      initializers: [
        floats('W', [4, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        { name: 'b', elementType: 'INT4', shape: [3], data: Uint8Array.of(0x21, 0x0f) },
      ],
      ...changes,
    },
  };
}
