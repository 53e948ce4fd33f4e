import { meta, type Metadata, type MetadataValue } from '../../formats/gguf/metadata.ts';
import { planGguf } from '../../formats/gguf/plan.ts';
import type { Model } from '../../models/model.ts';
import { blockTypes, quantizationVersion, type BlockType } from '../../tensor/block-types.ts';
import type { TensorType } from '../../tensor/dtypes.ts';
import { columnsOf, rowsOf, weightsOf, type Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { fileTypes } from './file-types.ts';
import type { Imatrix } from './importance.ts';
import { mixContext, mixTensors } from './mix-context.ts';
import { mixType, typeThatFits, type MixContext, type MixTensor } from './mix.ts';
import { planNotes } from './plan-notes.ts';
import type { PlannedTensor, QuantizationPlan, QuantizeOptions } from './quantization-plan.ts';

/**
 * Decides the block type of every tensor and the keys of the quantized file, reading no weight.
 *
 * The same types as llama-quantize for the same type name, imatrix and model; norms and other
 * vectors become F32. NaN weights are found when the tensors are written.
 *
 * @throws {@link PithError} `shape` when an importance entry does not fit its tensor, `not-found` when
 *   the imatrix names no tensor of the model, `unsupported` for element types that GGUF has not.
 * @remarks Differs from llama-quantize: overrides also apply to F32, F16 and BF16 files, and 16-bit
 *   vectors become F32. Checked against llama-quantize v0.5.0: test/golden/quantize-mixes.json.
 */
export function planQuantization(model: Model, options: QuantizeOptions): QuantizationPlan {
  const context = mixContext(model, options.imatrix !== undefined);
  const places = mixTensors(model, context);
  requireSameModel(model, options.imatrix);
  const tensors = [...model.tensors.values()].map((tensor) => {
    const place = isFloating(tensor.type) ? places.get(tensor.name) : undefined;
    return place ? planMatrix(tensor, place, context, options) : planKept(tensor);
  });
  const metadata = planMetadata(model.metadata, options);
  const infos = tensors.map(({ name, shape, to }) => ({ name, shape, type: to }));
  return {
    metadata,
    tensors,
    notes: planNotes(model, tensors, options),
    layout: planGguf(metadata, infos),
  };
}

function planMatrix(
  tensor: Tensor,
  place: MixTensor,
  context: MixContext,
  { type, overrides = [], imatrix }: QuantizeOptions,
): PlannedTensor {
  const { name, shape } = tensor;
  const override = overrides.find(({ pattern }) => pattern.test(name));
  const unforced = type.uniform ? fileTypes[type.name].base : mixType(type.name, place, context);
  const chosen = override?.type ?? unforced;
  const to = typeThatFits(chosen, columnsOf(shape));
  const importance = importanceOf(tensor, imatrix);
  return {
    ...planned(tensor, to),
    reason: override ? 'override' : type.uniform ? 'uniform' : 'mix',
    ...(to !== chosen && { insteadOf: chosen }),
    ...(importance && blockTypes[to].weights > 1 && { importance }),
  };
}

/** Vectors are small and llama.cpp computes with them in F32; other kept tensors stay as stored. */
function planKept(tensor: Tensor): PlannedTensor {
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

/** Integer tensors hold no weights; a mix leaves them alone. */
function isFloating(type: TensorType): boolean {
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

function requireSameModel(model: Model, imatrix: Imatrix | undefined): void {
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
