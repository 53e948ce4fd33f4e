import { meta, type Metadata, type MetadataValue } from '../../formats/gguf/metadata.ts';
import { planGguf } from '../../formats/gguf/plan.ts';
import type { EncodableType } from '../../kernels/kernels.ts';
import type { Model } from '../../models/model.ts';
import { blockTypes, quantizationVersion, type BlockType } from '../../tensor/block-types.ts';
import type { TensorType } from '../../tensor/dtypes.ts';
import { columnsOf, rowsOf, weightsOf, type Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { fileTypes } from './file-types.ts';
import type { Imatrix } from './importance.ts';
import { planNotes } from './plan-notes.ts';
import type { PlannedTensor, QuantizationPlan, QuantizeOptions } from './quantization-plan.ts';

/** Lays out the file of tensors whose types are decided. */
export function planFile(
  model: Model,
  tensors: readonly PlannedTensor[],
  options: QuantizeOptions,
): QuantizationPlan {
  const metadata = planMetadata(model.metadata, options);
  const infos = tensors.map(({ name, shape, to }) => ({ name, shape, type: to }));
  return {
    metadata,
    tensors,
    notes: planNotes(model, tensors, options),
    layout: planGguf(metadata, infos),
  };
}

/** A matrix in the type that was decided on, with its importance where the encoder wants one. */
export function planAs(
  tensor: Tensor,
  to: EncodableType,
  imatrix: Imatrix | undefined,
): Omit<PlannedTensor, 'reason'> {
  const importance = importanceOf(tensor, imatrix);
  return {
    ...planned(tensor, to),
    ...(importance && blockTypes[to].weights > 1 && { importance }),
  };
}

/** Vectors are small and llama.cpp computes with them in F32; other kept tensors stay as stored. */
export function planKept(tensor: Tensor): PlannedTensor {
  const isVector = rowsOf(tensor.shape) === 1 || tensor.name.endsWith('_norm.weight');
  const widen = isFloating(tensor.type) && (isVector || !(tensor.type in blockTypes));
  if (!widen && !(tensor.type in blockTypes)) {
    throw new PithError(
      'unsupported',
      `${tensor.name} holds ${tensor.type} elements, which GGUF cannot store.`,
      'Convert the tensor to a floating-point or signed integer type first.',
    );
  }
  return { ...planned(tensor, widen ? 'F32' : (tensor.type as BlockType)), reason: 'kept' };
}

function planned({ name, shape, type }: Tensor, to: BlockType) {
  const { weights, bytes } = blockTypes[to];
  return { name, shape, from: type, to, bytes: (weightsOf(shape) / weights) * bytes };
}

/** Integer tensors hold no weights; they are left alone. */
export function isFloating(type: TensorType): boolean {
  return !/^(I|U)\d+$|^BOOL$/.test(type);
}

function importanceOf(tensor: Tensor, imatrix: Imatrix | undefined): Float32Array | undefined {
  const entry = imatrix?.entries.get(tensor.name);
  if (!imatrix || !entry) return undefined;
  const columns = columnsOf(tensor.shape);
  const experts = tensor.shape.length > 2 ? (tensor.shape.at(-3) ?? 1) : 1;
  if (entry.values.length === columns * experts) return entry.values;
  throw new PithError(
    'shape',
    `${tensor.name} has ${experts} × ${columns} input columns, but ${imatrix.source} has ` +
      `importance for ${entry.values.length}.`,
    'Measure the importance matrix on this very model.',
  );
}

/**
 * Refuses an importance matrix of another model.
 *
 * @throws {@link PithError} `not-found` when it names no tensor of this one.
 */
export function requireSameModel(model: Model, imatrix: Imatrix | undefined): void {
  if (!imatrix || [...imatrix.entries.keys()].some((name) => model.tensors.has(name))) return;
  throw new PithError(
    'not-found',
    `${imatrix.source} has importance for ${imatrix.entries.size} tensors, none of them in ${model.source}.`,
    'Measure the importance matrix on this very model.',
  );
}

function planMetadata(source: Metadata, { type, imatrix }: QuantizeOptions): Metadata {
  const metadata = new Map<string, MetadataValue>(source);
  for (const key of source.keys()) if (key.startsWith('split.')) metadata.delete(key);
  metadata.set('general.quantization_version', meta.uint32(quantizationVersion));
  metadata.set('general.file_type', meta.uint32(fileTypes[type.name].id));
  if (!imatrix) return metadata;
  metadata.set('quantize.imatrix.file', meta.string(imatrix.source));
  const [dataset] = imatrix.datasets;
  if (dataset !== undefined) metadata.set('quantize.imatrix.dataset', meta.string(dataset));
  metadata.set('quantize.imatrix.entries_count', meta.uint32(imatrix.entries.size));
  if (imatrix.chunks > 0) {
    metadata.set('quantize.imatrix.chunks_count', meta.uint32(imatrix.chunks));
  }
  return metadata;
}
