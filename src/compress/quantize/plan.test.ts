import { expect, test } from 'vitest';
import { meta } from '../../formats/gguf/metadata.ts';
import { fakeModel } from '../../models/fake-model.cases.ts';
import type { TensorType } from '../../tensor/dtypes.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { fileTypeNames, fileTypes, parseBlockType, parseFileType } from './file-types.ts';
import { parseOverride } from './overrides.ts';
import { planQuantization } from './plan.ts';
import { classTotals, type QuantizeOptions } from './quantization-plan.ts';

const shapes = {
  'token_embd.weight': [100, 256],
  'blk.0.attn_norm.weight': [256],
  'blk.0.attn_v.weight': [128, 256],
  'blk.0.ffn_down.weight': [256, 512],
  'blk.1.attn_v.weight': [128, 256],
  'blk.1.ffn_down.weight': [256, 512],
  'output.weight': [100, 256],
};
const llama = (type: TensorType = 'BF16') =>
  fakeModel({ architecture: 'llama', keys: { block_count: 2 }, shapes, type });

const typesOf = (options: QuantizeOptions, model = llama()) =>
  Object.fromEntries(planQuantization(model, options).tensors.map(({ name, to }) => [name, to]));

test('file types, aliases and letter case as llama-quantize reads them', () => {
  expect(parseFileType('q4_k')).toEqual({ name: 'Q4_K_M', uniform: false });
  expect(parseFileType('Q3_K')).toEqual({ name: 'Q3_K_M', uniform: false });
  expect(parseFileType('Q6_K', true)).toEqual({ name: 'Q6_K', uniform: true });
  expect(parseFileType('mxfp4')).toEqual({ name: 'MXFP4_MOE', uniform: true });
  expect(new Set(fileTypeNames.map((name) => fileTypes[name].id)).size).toBe(fileTypeNames.length);
});

test('a type without an encoder names the nearest one that has it; a misspelt one the nearest name', () => {
  expect(() => parseFileType('IQ1_S')).toThrow(expect.objectContaining({ code: 'unsupported' }));
  expect(() => parseFileType('Q4_KM')).toThrow(
    expect.objectContaining({
      code: 'usage',
      hint: expect.stringContaining('Did you mean Q4_K_M?') as string,
    }),
  );
  expect(() => parseBlockType('IQ1_S')).toThrow(expect.objectContaining({ code: 'unsupported' }));
  expect(() => parseBlockType('Q4_K_M')).toThrow(expect.objectContaining({ code: 'usage' }));
});

test('pure gives every matrix the base type, the output matrix too', () => {
  expect(typesOf({ type: parseFileType('Q4_K', true) })).toEqual({
    ...Object.fromEntries(Object.keys(shapes).map((name) => [name, 'Q4_K'])),
    'blk.0.attn_norm.weight': 'F32',
  });
});

test('the first override that matches decides, and moves no other tensor', () => {
  const type = parseFileType('Q4_K_S');
  const overrides = ['blk\\.0\\.attn_v=Q8_0', 'attn_v=Q6_K'].map(parseOverride);
  expect(typesOf({ type, overrides })).toEqual({
    ...typesOf({ type }),
    'blk.0.attn_v.weight': 'Q8_0',
    'blk.1.attn_v.weight': 'Q6_K',
  });
});

test('overrides also apply to files of plain floating-point type', () => {
  const overrides = [parseOverride('ffn_down=Q8_0')];
  const types = typesOf({ type: parseFileType('F16'), overrides });
  expect(types['blk.0.ffn_down.weight']).toBe('Q8_0');
  expect(types['blk.0.attn_v.weight']).toBe('F16');
});

test('overrides that match nothing, or only what is kept, are told', () => {
  const overrides = ['attn_z=Q6_K', 'attn_norm=Q6_K'].map(parseOverride);
  expect(planQuantization(llama(), { type: parseFileType('Q8_0'), overrides }).notes).toEqual([
    "--tensor 'attn_z=Q6_K' matches no tensor.",
    "--tensor 'attn_norm=Q6_K' leaves blk.0.attn_norm.weight as stored: vectors and routers are not quantized.",
  ]);
});

test('types that llama-quantize refuses without an imatrix are written with a warning', () => {
  const notes = fileTypeNames.flatMap((name) => {
    const plan = planQuantization(llama(), { type: parseFileType(name) });
    return plan.notes.map((note) => `${name}: ${note.split(' ')[0]}`);
  });
  expect(notes).toEqual([
    'Q2_K_S: Q2_K_S',
    'IQ2_M: IQ2_S',
    'IQ2_S: IQ2_XS',
    'IQ2_XS: IQ2_XS',
    'IQ2_XXS: IQ2_XXS',
  ]);
});

test.each(['attn_v', '=Q6_K', 'attn_v=', 'attn_(v=Q6_K', 'attn_v=Q9', `${'a'.repeat(301)}=Q6_K`])(
  'an override that cannot be read is a usage error: %s',
  (text) => {
    expect(() => parseOverride(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  },
);

test.each(['(a+)+$=Q6_K', '(.|.)*x=Q6_K', `${'.?'.repeat(30)}x=Q6_K`, '.*.*.*.*.*x=Q6_K'])(
  'a pattern that could be tried for ever is refused: %s',
  (text) => {
    expect(() => parseOverride(text)).toThrow('at most 4');
  },
);

test.each([
  'blk\\.(0|1|2)\\.(?:ffn|attn)_.*',
  'blk\\.[0-9+*]\\.ffn_(up|gate)_exps',
  'attn_\\+\\?\\*\\{',
])('an ordinary pattern is taken as it is: %s', (source) => {
  expect(parseOverride(`${source}=Q6_K`).pattern.source).toBe(source);
});

test('rows that are not whole blocks are told once for each kind of fallback', () => {
  const narrow = fakeModel({
    architecture: 'llama',
    shapes: { 'token_embd.weight': [8, 96], 'blk.0.attn_q.weight': [96, 96] },
  });
  const plan = planQuantization(narrow, { type: parseFileType('Q4_K_M') });
  expect(plan.tensors.map(({ to, insteadOf }) => [to, insteadOf])).toEqual([
    ['Q8_0', undefined],
    ['Q5_0', 'Q4_K'],
  ]);
  expect(plan.notes).toEqual([
    '1 tensors take Q5_0 instead of Q4_K: rows of 96 weights are not whole blocks of 256.',
  ]);
});

test('a source that is already quantized is told; unchanged tensors are copied', () => {
  const plan = planQuantization(llama('Q8_0'), { type: parseFileType('Q8_0') });
  expect(plan.tensors.every(({ from, to }) => from === to)).toBe(true);
  expect(plan.notes).toEqual([]);
  const again = planQuantization(llama('Q8_0'), { type: parseFileType('Q4_0') });
  expect(again.notes.join()).toContain('6 tensors are already quantized (Q8_0)');
});

const withTensor = (name: string, type: TensorType, shape: number[]) => {
  const model = llama();
  const tensor: Tensor = { ...model.tensors.get('output.weight')!, name, type, shape };
  return { ...model, tensors: new Map([...model.tensors, [name, tensor]]) };
};

test('16-bit vectors become F32, integers stay, and types that GGUF lacks are refused', () => {
  const type = parseFileType('Q8_0');
  expect(typesOf({ type }, withTensor('x.bias', 'BF16', [256]))['x.bias']).toBe('F32');
  expect(typesOf({ type }, withTensor('x.weight', 'I32', [2, 256]))['x.weight']).toBe('I32');
  expect(typesOf({ type }, withTensor('x', 'F8_E4M3', [2, 256]))['x']).toBe('F32');
  expect(() => typesOf({ type }, withTensor('x.weight', 'U8', [2, 256]))).toThrow(
    'x.weight holds U8 elements',
  );
});

test('split keys go, file type and quantization version are set', () => {
  const source = llama();
  const metadata = new Map([...source.metadata, ['split.count', meta.uint32(2)] as const]);
  const plan = planQuantization({ ...source, metadata }, { type: parseFileType('Q2_K') });
  expect(Object.fromEntries(plan.metadata)).toEqual({
    'general.architecture': meta.string('llama'),
    'llama.block_count': meta.uint32(2),
    'general.quantization_version': meta.uint32(2),
    'general.file_type': meta.uint32(10),
  });
});

const sum = (values: readonly { bytes: number }[]) =>
  values.reduce((total, { bytes }) => total + bytes, 0);

test('the layout’s data are the tensors’ bytes, padded, and classes add up to them', () => {
  const plan = planQuantization(llama(), { type: parseFileType('Q4_K_M') });
  const { layout, tensors } = plan;
  const padded = tensors.reduce((total, { bytes }) => total + Math.ceil(bytes / 32) * 32, 0);
  expect(layout.totalBytes).toBe(layout.header.length + padded);
  const totals = classTotals(tensors);
  expect(totals.map((total) => total.class)).toEqual([
    'embedding',
    'norm',
    'attention',
    'feedForward',
    'output',
  ]);
  expect(sum(totals)).toBe(sum(tensors));
});
