import { openGguf, type GgufFile } from '../../formats/gguf/open.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { columnsOf, rowsOf } from '../../tensor/tensor.ts';
import type { ByteSource } from '../../util/byte-source.ts';
import { PithError } from '../../util/errors.ts';
import type {
  EmbeddingEvidence,
  Evidence,
  PeakMoments,
  SecondMoments,
  TensorEvidence,
} from './evidence.ts';
import { names } from './evidence-file.ts';
import { gramSource, type GramShape, type GramSource } from './gram.ts';
import { hessianRows, hessianSource, type HessianShape, type HessianSource } from './hessian.ts';

const again = 'Make it again: pith calibrate MODEL -o evidence.gguf';

/**
 * Reads an evidence file that `planEvidenceFile` laid out, but for its Hessians: each is read when it is asked for.
 * The caller closes the source, after the last Hessian.
 *
 * @throws PithError `unsupported` for other files, importance matrices of llama-imatrix among them; `corrupt` where
 *   its parts do not belong together; `not-finite`; what reading GGUF throws.
 */
export async function readEvidence(source: ByteSource): Promise<Evidence> {
  const file = await openGguf(source);
  const { metadata } = file;
  const text = (key: string) => {
    const value = metadata.get(key);
    return value?.type === 'string' ? value.value : '';
  };
  const number = (key: string) => Number(metadata.get(key)?.value ?? 0);
  const list = (key: string) => {
    const value = metadata.get(key);
    return value?.type === 'array' ? Array.from<unknown, string>(value.value, String) : [];
  };
  if (number(names.version) !== 1)
    throw new PithError('unsupported', `${source.name} is no evidence file of version 1.`, again);
  const windowTokens = number('imatrix.chunk_size');
  const embedding = await readEmbedding(file);
  const tensors = await readTensors(file);
  const keptAs = pairs(list(names.hessianMatrices), list(names.hessiansKeptAs));
  const hasGrams = [...tensors.keys()].some((name) => file.tensors.has(name + names.gram));
  return {
    source: {
      model: text(names.model),
      modelHash: text(names.modelHash),
      tokenizerHash: text(names.tokenizerHash),
      datasets: list('imatrix.datasets'),
      dataHash: text(names.dataHash),
      seed: number(names.seed),
    },
    tokens: tokensOf(file),
    windowTokens,
    tensors,
    ...(embedding && { embedding }),
    ...(keptAs.size > 0 && { hessians: hessiansIn(file, tensors, keptAs) }),
    ...(hasGrams && { grams: gramsIn(file, tensors) }),
    warnings: list(names.warnings),
  };
}

function tokensOf({ metadata }: GgufFile): number {
  const [windows, length] = ['imatrix.chunk_count', 'imatrix.chunk_size'].map((key) =>
    Number(metadata.get(key)?.value ?? 0),
  );
  return windows! * length!;
}

async function readTensors(file: GgufFile): Promise<ReadonlyMap<string, TensorEvidence>> {
  const tensors = new Map<string, TensorEvidence>();
  for (const key of file.tensors.keys()) {
    if (!key.endsWith(names.sums)) continue;
    const name = key.slice(0, -names.sums.length);
    const counts = await numbers(file, name + names.counts);
    const inputs = await moments(file, key, counts);
    const gradients = name + names.gradients;
    const peaks = await readPeaks(file, name, counts);
    tensors.set(name, {
      inputs,
      ...(peaks && { peaks }),
      ...(file.tensors.has(gradients) && { outputs: await moments(file, gradients, counts) }),
    });
  }
  return tensors;
}

async function readPeaks(
  file: GgufFile,
  name: string,
  counts: Float64Array,
): Promise<PeakMoments | undefined> {
  if (!file.tensors.has(name + names.peaks32)) return undefined;
  return {
    of32: await moments(file, name + names.peaks32, counts),
    of256: await moments(file, name + names.peaks256, counts),
  };
}

async function readEmbedding(file: GgufFile): Promise<EmbeddingEvidence | undefined> {
  if (!file.tensors.has(names.columnGradients)) return undefined;
  const rows = await numbers(file, names.rowCounts);
  const tokens = rows.reduce((sum, count) => sum + count, 0);
  return { gradients: await moments(file, names.columnGradients, Float64Array.of(tokens)), rows };
}

function pairs(from: readonly string[], to: readonly string[]): ReadonlyMap<string, string> {
  return new Map(from.map((name, at) => [name, to[at] ?? name]));
}

function hessiansIn(
  file: GgufFile,
  tensors: ReadonlyMap<string, TensorEvidence>,
  keptAs: ReadonlyMap<string, string>,
): HessianSource {
  const shapes = [...new Set(keptAs.values())].map(
    (name) => [name, shapeOfBlocks(file, name + names.hessian, tensors.get(name)?.inputs)] as const,
  );
  const weighted = file.metadata.get(names.hessiansWeighted)?.value === true;
  return hessianSource({ keptAs, shapes: new Map(shapes), weighted }, (name) =>
    finite(file, name + names.hessian),
  );
}

function gramsIn(file: GgufFile, tensors: ReadonlyMap<string, TensorEvidence>): GramSource {
  const shapes = new Map<string, GramShape>();
  for (const [name, { outputs }] of tensors) {
    if (!file.tensors.has(name + names.gram)) continue;
    const { columns: rows, ...rest } = shapeOfBlocks(file, name + names.gram, outputs);
    shapes.set(name, { rows, ...rest });
  }
  return gramSource(shapes, (name) => finite(file, name + names.gram));
}

function shapeOfBlocks(
  file: GgufFile,
  name: string,
  moments: SecondMoments | undefined,
): HessianShape {
  const { shape } = tensorOf(file, name);
  const blockSize = columnsOf(shape);
  const columns = moments?.size ?? 0;
  const expected = { columns, blockSize, tokens: tokensOf(file) };
  if (blockSize <= columns && hessianRows(expected) === rowsOf(shape)) return expected;
  const message = `${file.name}: ${name} of [${shape.join(', ')}] does not fit ${columns} rows or columns.`;
  throw new PithError('corrupt', message, again);
}

async function finite(file: GgufFile, name: string): Promise<Float32Array<ArrayBuffer>> {
  const values = await floats(file, name);
  if (values.every(Number.isFinite)) return values;
  const message = `${file.name}: ${name} holds what is not a finite number.`;
  throw new PithError('not-finite', message, again);
}

async function moments(file: GgufFile, name: string, counts: Float64Array): Promise<SecondMoments> {
  const sums = await numbers(file, name);
  const { shape } = tensorOf(file, name);
  const experts = rowsOf(shape);
  if (experts !== counts.length)
    throw new PithError(
      'corrupt',
      `${file.name}: ${name} has ${experts} rows, but there are ${counts.length} counts.`,
      again,
    );
  return { experts, size: columnsOf(shape), sums, counts };
}

async function numbers(file: GgufFile, name: string): Promise<Float64Array> {
  const values = Float64Array.from(await floats(file, name));
  const broken = values.findIndex((value) => !(value >= 0 && value < Infinity));
  if (broken < 0) return values;
  throw new PithError('not-finite', `${file.name}: ${name} holds ${values[broken]}.`, again);
}

async function floats(file: GgufFile, name: string): Promise<Float32Array<ArrayBuffer>> {
  const tensor = tensorOf(file, name);
  const bytes = await tensor.read(0, rowsOf(tensor.shape));
  return new Float32Array(bytes.slice().buffer);
}

function tensorOf(file: GgufFile, name: string): Tensor {
  const tensor = file.tensors.get(name);
  if (tensor?.type === 'F32') return tensor;
  throw new PithError('corrupt', `${file.name} lacks ${name} in F32.`, again);
}
