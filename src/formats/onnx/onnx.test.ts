import { expect, test } from 'vitest';
import type { ByteSource } from '../../util/byte-source.ts';
import { memorySource } from '../../util/memory-source.ts';
import { collector } from '../bytes.cases.ts';
import { encodeMessage } from './encode.ts';
import type { OnnxTensor } from './model.ts';
import { planOnnx } from './plan.ts';
import { readOnnx } from './read.ts';
import { floats, sampleModel } from './sample.cases.ts';
import type { Message } from './schema.ts';
import { streamOnnx, writeOnnx } from './write.ts';

async function roundTrip(bytes: Uint8Array) {
  const file = await readOnnx(memorySource(bytes, 'model.onnx'));
  await file.close();
  return { ...file, close: undefined };
}

/** `toEqual` takes seconds for a megabyte. */
function equals(expected: OnnxTensor['data']) {
  return (bytes: Uint8Array) => Buffer.compare(bytes, expected as Uint8Array) === 0;
}

/** Reads a model whose only content is one initializer. */
function readTensor(
  tensor: Message<'Tensor'>,
  external?: (location: string) => Promise<ByteSource>,
) {
  const bytes = encodeMessage('Model', { irVersion: 10n, graph: { initializers: [tensor] } });
  return readOnnx(memorySource(bytes, 'dir/model.onnx'), external);
}

test('every attribute type, symbols, unknown sizes and 4-bit pairs survive writing and reading', async () => {
  expect(await roundTrip(await writeOnnx(sampleModel()))).toEqual(sampleModel());
});

test('a constant of more than 64 KiB is left in the file, byte for byte', async () => {
  const values = Array.from({ length: 20_000 }, (_, at) => at);
  const bytes = await writeOnnx(sampleModel({ initializers: [floats('W', [20_000], values)] }));
  const { initializers } = (await roundTrip(bytes)).graph;
  const source = initializers[0]!.data as ByteSource;
  expect(source.byteLength).toBe(80_000);
  expect(await source.read(0, 80_000)).toSatisfy(equals(floats('', [20_000], values).data));
  await expect(source.read(79_999, 2)).rejects.toMatchObject({ code: 'truncated' });
});

test('weights of 1 KiB and more go to a second file: at 64 bytes, and at 64 KiB from 1 MiB on', async () => {
  const sizes = { scale: 1, small: 256, odd: 257, large: 2 ** 18, last: 300 };
  const initializers = Object.entries(sizes).map(([name, size], at) => {
    return floats(
      name,
      [size],
      Array.from({ length: size }, () => at + 1),
    );
  });
  const plan = await planOnnx(sampleModel({ initializers }), { inlineLimitBytes: 0 });
  const { location, totalBytes, pieces } = plan.weights!;
  expect(pieces.map(({ offset }) => offset)).toEqual([0, 1024, 65_536, 65_536 + 2 ** 20]);
  const [model, weights] = [collector(), collector()];
  await streamOnnx(plan.model, model.sink);
  await streamOnnx(plan.weights!, weights.sink);
  expect(weights.bytes()).toHaveLength(totalBytes);
  const read = await readOnnx(memorySource(model.bytes()), async (asked) => {
    expect(asked).toBe(location);
    return memorySource(weights.bytes());
  });
  for (const [at, tensor] of read.graph.initializers.entries()) {
    const { data } = tensor;
    const bytes = data instanceof Uint8Array ? data : await data.read(0, data.byteLength);
    const size = Object.values(sizes)[at]!;
    const filled = floats(
      '',
      [size],
      Array.from({ length: size }, () => at + 1),
    );
    expect(bytes).toSatisfy(equals(filled.data));
  }
});

test('a stream that goes on from any byte writes the rest of the file', async () => {
  const initializers = [
    floats(
      'W',
      [300],
      Array.from({ length: 300 }, (_, at) => at),
    ),
  ];
  const { model, weights } = await planOnnx(sampleModel({ initializers }), { inlineLimitBytes: 1 });
  for (const file of [model, weights!]) {
    const whole = collector();
    await streamOnnx(file, whole.sink);
    for (let from = 0; from <= file.totalBytes; from += 13) {
      const rest = collector();
      await streamOnnx(file, rest.sink, { from });
      expect(rest.bytes()).toSatisfy(equals(whole.bytes().subarray(from)));
    }
  }
});

test('3 GB of weights are planned without being read, in two files of exact sizes', async () => {
  const data = { ...memorySource(new Uint8Array(0)), byteLength: 3e9 };
  const weight: OnnxTensor = { name: 'W', elementType: 'INT8', shape: [3e9], data };
  const plan = await planOnnx(sampleModel({ initializers: [weight] }));
  expect(plan.weights?.totalBytes).toBe(3e9);
  await expect(writeOnnx(sampleModel({ initializers: [weight] }))).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining(`${3e9 + plan.model.totalBytes} bytes`),
  });
});

test('a tensor with too few bytes, a fraction as an integer or a float beyond 32 bits is not written', async () => {
  const wrong = { ...floats('W', [3], [1, 2]) };
  await expect(writeOnnx(sampleModel({ initializers: [wrong] }))).rejects.toMatchObject({
    code: 'shape',
    message: 'W: [3] of FLOAT takes 12 bytes, but has 8.',
  });
  for (const attribute of [
    { type: 'int', value: 0.5 } as const,
    { type: 'float', value: 1e300 } as const,
  ]) {
    const node = { opType: 'Op', inputs: [], outputs: [], attributes: { a: attribute } };
    await expect(writeOnnx(sampleModel({ nodes: [node] }))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(`attribute "a" of Op: ${attribute.value}`),
    });
  }
});

const typed = (type: bigint, dims: bigint[], fields: Message<'Tensor'>): Message<'Tensor'> => {
  return { name: 'W', dataType: type, dims, ...fields };
};

test.each<[string, Message<'Tensor'>, string]>([
  ['a size below 0', typed(1n, [-1n], {}), '[-1] is no shape'],
  ['a product beyond 2^53', typed(1n, [10n ** 9n, 10n ** 9n], {}), 'is no shape of a constant'],
  ['4 EB of elements', typed(1n, [2n ** 60n], {}), 'has more than 53 bits'],
  ['a terabyte that is not there', typed(3n, [10n ** 12n], {}), 'takes 1000000000000'],
  ['an unknown type', typed(99n, [], {}), 'element type 99 (no type of ONNX 1.23)'],
  ['texts', typed(8n, [], {}), 'element type 8 (STRING)'],
  [
    'float data of an INT64',
    typed(7n, [1n], { floatData: [new Uint8Array(4)] }),
    'in floatData instead of int64Data',
  ],
  [
    'data twice',
    typed(1n, [1n], { floatData: [new Uint8Array(4)], rawData: new Uint8Array(4) }),
    'in floatData and in rawData',
  ],
  [
    'a raw byte too much',
    typed(1n, [1n], { rawData: new Uint8Array(5) }),
    'has data of 5 bytes, but its shape takes 4',
  ],
  ['an INT8 of 128', typed(3n, [1n], { int32Data: [Uint8Array.of(128, 1)] }), '128 is no INT8'],
  ['a BOOL of 2', typed(9n, [1n], { int32Data: [Uint8Array.of(2)] }), '2 is no BOOL'],
  ['a number cut off', typed(7n, [1n], { int64Data: [Uint8Array.of(128)] }), 'end inside a number'],
  [
    'a number too much',
    typed(3n, [1n], { int32Data: [Uint8Array.of(1, 1)] }),
    'has data of 2 bytes',
  ],
  ['segments', typed(1n, [0n], { segment: new Uint8Array(0) }), 'cut into segments'],
])('a tensor with %s is refused', async (_, tensor, message) => {
  await expect(readTensor(tensor)).rejects.toThrow(message);
});

const outside = (entries: Record<string, string>): Message<'Tensor'> => {
  const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
  return { name: 'W', dataType: 1n, dims: [4n], dataLocation: 1n, externalData };
};

test.each([
  ['../../etc/passwd', 'no file in this folder'],
  ['/etc/passwd', 'no file in this folder'],
  ['a/../b', 'no file in this folder'],
  ['C:\\weights', 'no file in this folder'],
  ['', 'no file in this folder'],
  ['model.onnx', 'no file in this folder'],
])('weights in "%s" are never opened', async (location, message) => {
  let opened = 0;
  const read = readTensor(outside({ location }), async () => {
    opened++;
    return memorySource(new Uint8Array(16));
  });
  await expect(read).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining(message),
  });
  expect(opened).toBe(0);
});

test.each([
  [{ offset: '1' }, 'truncated', 'wanted bytes 1 to 17, but it has 16'],
  [{ length: '8' }, 'corrupt', '8 bytes in w, but its shape takes 16'],
  [{ offset: '-1' }, 'corrupt', 'the offset of its external data is "-1"'],
  [{ length: '1e1' }, 'corrupt', 'the length of its external data is "1e1"'],
])('external data with %j are refused, and both files closed', async (entries, code, message) => {
  let closed = 0;
  const read = readTensor(outside({ location: 'w', ...entries }), async () => {
    return { ...memorySource(new Uint8Array(16)), close: async () => void closed++ };
  });
  await expect(read).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  expect(closed).toBe(code === 'truncated' ? 1 : closed);
});

test('without a way to open them, weights in another file are not found', async () => {
  await expect(readTensor(outside({ location: 'w' }))).rejects.toMatchObject({
    code: 'not-found',
    message: 'dir/model.onnx keeps weights in w, which was not given.',
  });
});

test.each<[string, Message<'Model'>, string, string]>([
  ['no IR version', { graph: {} }, 'corrupt', 'no IR version'],
  ['no graph', { irVersion: 10n }, 'corrupt', '0 graphs instead of one'],
  [
    'functions',
    { irVersion: 10n, functions: [new Uint8Array(0)], graph: {} },
    'unsupported',
    'has functions',
  ],
  [
    'an operator set twice',
    { irVersion: 10n, opsets: [{ domain: '' }, { domain: 'ai.onnx' }], graph: {} },
    'corrupt',
    'operator set "" is given twice',
  ],
  [
    'sparse initializers',
    { irVersion: 10n, graph: { sparse: [new Uint8Array(0)] } },
    'unsupported',
    'sparse',
  ],
  [
    'a node of no operator',
    { irVersion: 10n, graph: { nodes: [{ name: 'n' }] } },
    'corrupt',
    'node "n" has no operator',
  ],
  [
    'an attribute of type 13',
    { irVersion: 10n, graph: { nodes: [{ opType: 'A', attributes: [{ name: 'b', type: 13n }] }] } },
    'unsupported',
    'attribute "b" of A: it has type 13',
  ],
  [
    'an integer of 63 bits',
    {
      irVersion: 10n,
      graph: {
        nodes: [{ opType: 'A', attributes: [{ name: 'b', type: 2n, int: 2n ** 63n - 1n }] }],
      },
    },
    'unsupported',
    '9223372036854775807 has more than 53 bits',
  ],
  [
    'a sequence',
    { irVersion: 10n, graph: { inputs: [{ name: 's', type: { sequence: new Uint8Array(0) } }] } },
    'unsupported',
    'value "s": its type is sequence',
  ],
])('a model with %s is refused', async (_, model, code, message) => {
  const read = readOnnx(memorySource(encodeMessage('Model', model)));
  await expect(read).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});

test('graphs nested 40 deep in attributes are refused before the stack ends', async () => {
  let graph: Message<'Graph'> = {};
  for (let depth = 0; depth < 40; depth++) {
    graph = { nodes: [{ opType: 'If', attributes: [{ name: 'g', type: 5n, graph }] }] };
  }
  const bytes = encodeMessage('Model', { irVersion: 10n, graph });
  await expect(readOnnx(memorySource(bytes))).rejects.toThrow('nested deeper than 100');
});

test('2^21 empty names in a node are more than any model has', async () => {
  const inputs = Array.from({ length: 2 ** 21 }, () => '');
  const graph = { nodes: [{ opType: 'A', inputs }] };
  const bytes = encodeMessage('Model', { irVersion: 10n, graph });
  await expect(readOnnx(memorySource(bytes))).rejects.toThrow('more than 2097152 fields');
});

test('five 4-bit integers take three bytes', async () => {
  const tensor: OnnxTensor = {
    name: 't',
    elementType: 'INT4',
    shape: [5],
    data: new Uint8Array(3),
  };
  const model = sampleModel({ initializers: [tensor] });
  expect((await roundTrip(await writeOnnx(model))).graph.initializers).toEqual([tensor]);
});
