import { expect, test } from 'vitest';
import { scalarKernels } from '../../kernels/scalar.ts';
import { inlineTranscoder } from '../../kernels/transcoder.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { gramSource } from '../evidence/gram.ts';
import { hessianSource } from '../evidence/hessian.ts';
import { Couplings } from './couplings.ts';

const transcoder = inlineTranscoder(scalarKernels);

/** Two matrices that read the same two columns, with four rows each in blocks of two. */
function evidence({ hessian, gram }: { hessian: number[]; gram?: number[] }) {
  let reads = 0;
  const keptAs = new Map([
    ['q', 'q'],
    ['k', 'q'],
  ]);
  const shapes = new Map([['q', { columns: 2, blockSize: 2, tokens: 2 }]]);
  const hessians = hessianSource({ keptAs, shapes, weighted: true }, async () => {
    reads++;
    return Float32Array.from(hessian);
  });
  const gramShapes = new Map([['q', { rows: 4, blockSize: 2, tokens: 2 }]]);
  const grams = gramSource(gramShapes, async () => Float32Array.from(gram!));
  const known = { hessians, ...(gram && { grams }) } as unknown as Evidence;
  return { known, reads: () => reads };
}

const diagonal = [8, 0, 0, 2];

test('a Hessian is read once for matrices of the same inputs, as a mean over its tokens', async () => {
  const { known, reads } = evidence({ hessian: diagonal });
  const couplings = new Couplings(known, transcoder, { columnDamping: 0 });
  const [q, k] = [await couplings.couplingOf('q', 0), await couplings.couplingOf('k', 0)];
  expect(reads()).toBe(1);
  expect(k!.columnFactors).toBe(q!.columnFactors);
  // H = diag(4, 1): U = diag(1/2, 1).
  expect([...q!.columnFactors.values]).toEqual([0.5, 0, 0, 1]);
  expect(couplings.coupledRows('q')).toBe(1);
  expect(await couplings.couplingOf('v', 0)).toBeUndefined();
  expect(couplings.coupledRows('v')).toBeUndefined();
});

test('of few tokens damping is the columns of a block by them: here 2 / 2', async () => {
  const couplings = new Couplings(evidence({ hessian: diagonal }).known, transcoder);
  const { values } = (await couplings.columnFactors('q'))!;
  // H = diag(4, 1), of mean 2.5; U = diag(6.5^-½, 3.5^-½).
  expect(values[0]).toBeCloseTo(6.5 ** -0.5, 6);
  expect(values[3]).toBeCloseTo(3.5 ** -0.5, 6);
});

test('rows get the factors of their own block', async () => {
  const gram = [...diagonal, 32, 0, 0, 50];
  const couplings = new Couplings(evidence({ hessian: diagonal, gram }).known, transcoder, {
    rowDamping: 0,
  });
  expect(couplings.coupledRows('q')).toBe(2);
  const { rowFactors } = (await couplings.couplingOf('q', 2))!;
  // G = diag(16, 25) of rows 2 and 3.
  expect([...rowFactors!.values]).toEqual([0.25, 0, 0, Math.fround(0.2)]);
});

test('a Hessian that no damping makes positive definite leaves a matrix without coupling, and says so', async () => {
  const { known } = evidence({ hessian: [2, 20, 20, 2] });
  const couplings = new Couplings(known, transcoder);
  expect(await couplings.couplingOf('q', 0)).toBeUndefined();
  expect(couplings.remarks).toMatchObject([
    { tensor: 'q', side: 'columns', remark: expect.stringContaining('no feedback') as string },
  ]);
});

test('more damping than asked for is remarked', async () => {
  const { known } = evidence({ hessian: [2, 2.2, 2.2, 2] });
  const couplings = new Couplings(known, transcoder, { columnDamping: 0.05 });
  expect(await couplings.couplingOf('q', 0)).toBeDefined();
  expect(couplings.remarks[0]!.remark).toMatch(/^factored with 0.2 of the mean diagonal added$/);
});
