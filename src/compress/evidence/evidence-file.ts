import { meta, type MetadataValue } from '../../formats/gguf/metadata.ts';
import { planGguf, type GgufPlan } from '../../formats/gguf/plan.ts';
import type { Evidence, SecondMoments } from './evidence.ts';
import type { GramSource } from './gram.ts';
import { hessianRows, type HessianSource } from './hessian.ts';
import { meanSquares } from './moments.ts';

/** A GGUF file and the numbers in it. */
export interface PlannedFile {
  readonly plan: GgufPlan;
  /** Those of a tensor, `[rows, columns]`. */
  readonly valuesOf: (name: string) => Promise<Float32Array>;
}

/** Suffixes and keys of an evidence file. */
export const names = {
  sums: '.in_sum2',
  counts: '.counts',
  peaks32: '.in_peak2_32',
  peaks256: '.in_peak2_256',
  gradients: '.out_grad2',
  columnGradients: 'token_embd.weight.column_grad2',
  rowCounts: 'token_embd.weight.row_counts',
  hessian: '.hessian',
  gram: '.gram',
  hessiansWeighted: 'pith.evidence.hessian.weighted',
  hessianMatrices: 'pith.evidence.hessian.matrices',
  hessiansKeptAs: 'pith.evidence.hessian.kept_as',
  version: 'pith.evidence.version',
  model: 'pith.evidence.model',
  modelHash: 'pith.evidence.model_hash',
  tokenizerHash: 'pith.evidence.tokenizer_hash',
  dataHash: 'pith.evidence.data_hash',
  seed: 'pith.evidence.seed',
  warnings: 'pith.evidence.warnings',
} as const;

/**
 * Lays out an evidence file: llama.cpp's importance matrix in its GGUF form, so that whatever reads those reads
 * this, with more tensors and keys beside it. Sums and counts as they were measured: experts are not drawn to
 * their layer.
 *
 * - `<name>.in_sum2` `[experts, columns]` and `<name>.counts` `[experts, 1]`: as llama-imatrix
 * - `<name>.in_peak2_32` and `.in_peak2_256` `[experts, blocks]`: Σ (max |a|)² of so many columns
 * - `<name>.out_grad2` `[experts, rows]`: Σ (∂ℓ/∂y)² over the tokens of `counts`
 * - `token_embd.weight.column_grad2` `[1, C]` and `.row_counts` `[V, 1]`: the embedding as a table
 * - `<name>.hessian` `[blocks · size, size]`: Σ a aᵀ, or what the key `hessian.weighted` makes of it (`Hessian`), of all matrices that the key `hessian.kept_as` gives this name;
 *   they come last, and llama.cpp's programs read all of a file: give those `planImatrixFile`'s
 * - `<name>.gram` `[blocks · size, size]`: Σ ∂ℓ/∂y (∂ℓ/∂y)ᵀ
 */
export function planEvidenceFile(evidence: Evidence): PlannedFile {
  const { source, tensors, embedding } = evidence;
  const metadata = imatrixKeys(evidence)
    .set(names.version, meta.uint32(1))
    .set(names.model, meta.string(source.model))
    .set(names.modelHash, meta.string(source.modelHash))
    .set(names.tokenizerHash, meta.string(source.tokenizerHash))
    .set(names.dataHash, meta.string(source.dataHash))
    .set(names.seed, meta.uint32(source.seed))
    .set(names.warnings, meta.strings(evidence.warnings));
  const { hessians, grams } = evidence;
  if (hessians) {
    metadata.set(names.hessiansWeighted, meta.bool(hessians.weighted));
    metadata.set(names.hessianMatrices, meta.strings([...hessians.keptAs.keys()]));
    metadata.set(names.hessiansKeptAs, meta.strings([...hessians.keptAs.values()]));
  }
  const matrices: Matrix[] = [];
  for (const [name, { inputs, peaks, outputs }] of tensors) {
    matrices.push(...sumsAndCounts(name, inputs));
    if (peaks) {
      matrices.push(rows(name + names.peaks32, inputs.experts, peaks.of32.sums));
      matrices.push(rows(name + names.peaks256, inputs.experts, peaks.of256.sums));
    }
    if (outputs) matrices.push(rows(name + names.gradients, outputs.experts, outputs.sums));
  }
  if (embedding) {
    matrices.push(rows(names.columnGradients, 1, embedding.gradients.sums));
    matrices.push(rows(names.rowCounts, embedding.rows.length, embedding.rows));
  }
  if (hessians) matrices.push(...hessianMatrices(hessians));
  if (grams) matrices.push(...gramMatrices(grams));
  return planned(metadata, matrices);
}

/**
 * Lays out an importance matrix for llama-quantize: means of experts are drawn to their layer's, and no expert
 * counts 0 tokens, which would give it equal weights.
 */
export function planImatrixFile(evidence: Evidence): PlannedFile {
  const matrices = [...evidence.tensors].flatMap(([name, { inputs }]) => {
    const counts = inputs.counts.map((count) => Math.max(1, count));
    const sums = meanSquares(inputs).map(
      (mean, at) => mean * counts[Math.floor(at / inputs.size)]!,
    );
    return sumsAndCounts(name, { ...inputs, sums, counts });
  });
  return planned(imatrixKeys(evidence), matrices);
}

interface Matrix {
  readonly name: string;
  readonly shape: readonly [number, number];
  readonly values: () => Promise<Float32Array>;
}

function hessianMatrices(hessians: HessianSource): Matrix[] {
  return [...hessians.shapes].map(([name, shape]) => ({
    name: name + names.hessian,
    shape: [hessianRows(shape), shape.blockSize],
    values: async () => (await hessians.hessianOf(name))!.sums,
  }));
}

function gramMatrices(grams: GramSource): Matrix[] {
  return [...grams.shapes].map(([name, { rows, blockSize }]) => ({
    name: name + names.gram,
    shape: [hessianRows({ columns: rows, blockSize }), blockSize],
    values: async () => (await grams.gramOf(name))!.sums,
  }));
}

function imatrixKeys({ source, tokens, windowTokens }: Evidence): Map<string, MetadataValue> {
  return new Map([
    ['general.type', meta.string('imatrix')],
    ['imatrix.datasets', meta.strings(source.datasets)],
    ['imatrix.chunk_count', meta.uint32(tokens / windowTokens)],
    ['imatrix.chunk_size', meta.uint32(windowTokens)],
  ]);
}

function sumsAndCounts(name: string, { experts, sums, counts }: SecondMoments): Matrix[] {
  return [rows(name + names.sums, experts, sums), rows(name + names.counts, experts, counts)];
}

function rows(name: string, count: number, sums: Float64Array): Matrix {
  const values = () => Promise.resolve(Float32Array.from(sums));
  return { name, shape: [count, sums.length / count], values };
}

function planned(
  metadata: ReadonlyMap<string, MetadataValue>,
  matrices: readonly Matrix[],
): PlannedFile {
  const infos = matrices.map(({ name, shape }) => ({ name, shape, type: 'F32' as const }));
  const values = new Map(matrices.map((matrix) => [matrix.name, matrix.values]));
  return { plan: planGguf(metadata, infos), valuesOf: (name) => values.get(name)!() };
}
