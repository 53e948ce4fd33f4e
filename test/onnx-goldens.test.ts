import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import {
  onnxElementTypes,
  readOnnx,
  type OnnxElementType,
  type OnnxTensor,
} from '../src/formats/onnx/index.ts';
import { openFile } from '../src/storage/file-source.ts';

const goldens = resolve(import.meta.dirname, 'golden/onnx');
/** By interop/onnx-goldens.py, which names its versions. */
const golden = JSON.parse(readFileSync(resolve(goldens, 'every.json'), 'utf8')) as {
  data: Record<OnnxElementType, string>;
};
const open = (name: string) => openFile(resolve(goldens, name));
const model = await readOnnx(await open('every.onnx'), open);
await model.close();

async function bytesOf({ data }: OnnxTensor): Promise<Buffer> {
  return Buffer.from(data instanceof Uint8Array ? data : await data.read(0, data.byteLength));
}

async function hex(tensor: OnnxTensor): Promise<string> {
  return (await bytesOf(tensor)).toString('hex');
}

async function numbers(tensor: OnnxTensor): Promise<number[]> {
  const bytes = await bytesOf(tensor);
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at));
}

test('all 15 element types are read as onnx.helper stored them, raw and as typed fields', async () => {
  const types = Object.keys(onnxElementTypes) as OnnxElementType[];
  expect(types).toHaveLength(15);
  for (const elementType of types) {
    for (const form of ['raw', 'typed']) {
      const name = `${elementType}.${form}`;
      const tensor = model.graph.initializers.find((tensor) => tensor.name === name)!;
      expect(tensor).toMatchObject({ elementType, shape: [5, 1] });
      expect({ [name]: await hex(tensor) }).toEqual({ [name]: golden.data[elementType] });
    }
  }
});

test('a tensor without elements has none, and a scalar of int64_data −7 has eight bytes', async () => {
  const [empty, scalar] = model.graph.initializers.slice(-2);
  expect(empty).toMatchObject({ name: 'empty', shape: [0, 4], data: new Uint8Array(0) });
  expect(scalar).toMatchObject({ name: 'scalar', elementType: 'INT64', shape: [] });
  expect(await hex(scalar!)).toBe('f9ffffffffffffff');
});

test('attributes of every type are read as onnx.helper stored them', () => {
  const [node] = model.graph.nodes;
  expect(node).toMatchObject({ opType: 'Everything', domain: 'pith.test', name: 'custom' });
  expect(node!.inputs).toEqual(['x', '', 'scalar']);
  expect(node!.attributes).toMatchObject({
    a_float: { type: 'float', value: Math.fround(0.1) },
    an_int: { type: 'int', value: -(2 ** 53) + 1 },
    a_string: { type: 'string', value: 'häagen ☃' },
    a_tensor: { type: 'tensor', value: { elementType: 'INT4', shape: [5, 1] } },
    a_graph: {
      type: 'graph',
      value: {
        nodes: [{ opType: 'Constant', attributes: { value_float: { type: 'float', value: 2.5 } } }],
        outputs: [{ name: 'inner_value' }],
      },
    },
    floats: { type: 'floats', value: [1.5, -2, 2 ** -149] },
    ints: { type: 'ints', value: [0, -1, 2 ** 40] },
    strings: { type: 'strings', value: ['', 'b', '☃'] },
  });
});

test('the head, sizes, symbols and unknown ranks are read as onnx.helper stored them', () => {
  expect(model).toMatchObject({
    irVersion: 10,
    opsets: { '': 21, 'pith.test': 3 },
    producerName: 'golden',
    producerVersion: '1.2',
    metadata: { licence: 'Apache-2.0', note: '☃' },
  });
  expect(model.graph.inputs).toEqual([
    { name: 'x', elementType: 'FLOAT', shape: ['batch', 4, ''] },
    { name: 'flag', elementType: 'BOOL', shape: [] },
    { name: 'any_rank', elementType: 'BFLOAT16' },
  ]);
  expect(model.graph.outputs).toEqual([{ name: 'y', elementType: 'FLOAT', shape: [] }]);
});

test('weights that onnx.save put into a second file are read: 0 to 599, and 0, 2 to 298 inside', async () => {
  const file = await readOnnx(await open('external.onnx'), open);
  const [outside, inside] = file.graph.initializers;
  expect(outside!.data).toMatchObject({ byteLength: 2400, read: expect.any(Function) });
  expect(inside!.data).toBeInstanceOf(Uint8Array);
  expect(await numbers(outside!)).toEqual(Array.from({ length: 600 }, (_, at) => at));
  expect(await numbers(inside!)).toEqual(Array.from({ length: 150 }, (_, at) => 2 * at));
  await file.close();
});
