import type { Metadata } from '../../formats/gguf/metadata.ts';
import { columnsOf, rowsOf, type Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { requireMeasures, type Imatrix, type Importance } from './importance.ts';

/** The parts of an opened GGUF file that an imatrix is made of. */
export interface ImatrixFile {
  readonly name: string;
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

const sumsSuffix = '.in_sum2';
const countsSuffix = '.counts';

/**
 * Reads the GGUF form of an importance matrix: per tensor `<name>.in_sum2`, sums of squared
 * activations `[experts, columns]`, and `<name>.counts`, the tokens each expert saw.
 *
 * @throws {@link PithError} `unsupported` when the file is no imatrix, `corrupt` when sums and counts
 *   do not belong together, `not-finite` on NaN or infinity.
 * @see tools/imatrix/README.md and common/imatrix-loader.cpp, llama.cpp v0.5.0.
 * @remarks Differs: an expert that saw no token takes the mean of its layer (all tokens of the other
 *   experts); llama-quantize gives every column of such an expert the same weight.
 */
export async function readGgufImatrix(file: ImatrixFile): Promise<Imatrix> {
  const kind = file.metadata.get('general.type')?.value;
  const names = [...file.tensors.keys()].filter((name) => name.endsWith(sumsSuffix));
  if (kind !== 'imatrix' || names.length === 0) {
    throw new PithError(
      'unsupported',
      `${file.name} is a GGUF file, but no importance matrix.`,
      'Make one with llama-imatrix -m MODEL -f TEXT -o imatrix.gguf.',
    );
  }
  const entries = new Map<string, Importance>();
  const notes: string[] = [];
  for (const sumsName of names) {
    const name = sumsName.slice(0, -sumsSuffix.length);
    const { importance, idleExperts } = await readEntry(file, name);
    if (idleExperts > 0) notes.push(describeIdle(name, idleExperts, importance));
    if (importance) entries.set(name, importance);
  }
  const datasets = file.metadata.get('imatrix.datasets');
  const chunks = file.metadata.get('imatrix.chunk_count');
  return {
    source: file.name,
    datasets: datasets?.type === 'array' ? Array.from<unknown, string>(datasets.value, String) : [],
    chunks: chunks?.type === 'uint32' ? chunks.value : 0,
    entries,
    notes,
  };
}

function describeIdle(name: string, idle: number, importance: Importance | undefined): string {
  return importance
    ? `${name}: ${idle} of ${importance.experts} experts saw no token; they take their layer's mean.`
    : `${name}: no token reached it, so it has no importance.`;
}

async function readEntry(file: ImatrixFile, name: string) {
  const sums = file.tensors.get(name + sumsSuffix)!;
  const counts = file.tensors.get(name + countsSuffix);
  const experts = rowsOf(sums.shape);
  if (counts?.type !== 'F32' || sums.type !== 'F32' || rowsAndColumns(counts) !== experts) {
    throw new PithError(
      'corrupt',
      `${file.name}: ${name} needs F32 sums and one F32 count for each of ${experts} rows of sums.`,
      'Make the importance matrix again with llama-imatrix.',
    );
  }
  const sumValues = floats(await sums.read(0, experts));
  const countValues = floats(await counts.read(0, rowsOf(counts.shape)));
  requireMeasures(file.name, name, sumValues);
  requireMeasures(file.name, name, countValues);
  return meansByExpert(sumValues, countValues, columnsOf(sums.shape));
}

const rowsAndColumns = ({ shape }: Tensor) => rowsOf(shape) * columnsOf(shape);

/** Divides sums by counts; experts without a count get the mean over all counted tokens. */
function meansByExpert(sums: Float32Array, counts: Float32Array, columns: number) {
  const idle = counts.filter((count) => count === 0).length;
  const totalCount = counts.reduce((total, count) => total + count, 0);
  if (totalCount === 0) return { importance: undefined, idleExperts: counts.length };
  const values = new Float32Array(sums.length);
  const layerMean = new Float64Array(columns);
  sums.forEach((sum, at) => (layerMean[at % columns]! += sum / totalCount));
  values.forEach((_, at) => {
    const count = counts[Math.floor(at / columns)]!;
    values[at] = count > 0 ? sums[at]! / count : layerMean[at % columns]!;
  });
  return { importance: { experts: counts.length, values }, idleExperts: idle };
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
