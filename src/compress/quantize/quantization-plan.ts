import type { Metadata } from '../../formats/gguf/metadata.ts';
import type { GgufPlan } from '../../formats/gguf/plan.ts';
import type { EncodableType } from '../../kernels/kernels.ts';
import type { BlockType } from '../../tensor/block-types.ts';
import type { TensorType } from '../../tensor/dtypes.ts';
import { weightsOf } from '../../tensor/tensor.ts';
import type { QuantizationType } from './file-types.ts';
import type { Imatrix } from './importance.ts';
import type { TensorOverride } from './overrides.ts';

/** How to quantize a model. */
export interface QuantizeOptions {
  readonly type: QuantizationType;
  /** The first override whose pattern matches a name decides that tensor's type. */
  readonly overrides?: readonly TensorOverride[];
  readonly imatrix?: Imatrix;
}

/** What becomes of one tensor. */
export interface PlannedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly from: TensorType;
  readonly to: BlockType;
  readonly bytes: number;
  /** Who chose the type: the mix, `pure`, an override, an allocation, or nobody because the tensor is kept. */
  readonly reason: 'mix' | 'uniform' | 'override' | 'allocation' | 'kept';
  /** The type that was chosen first, when its blocks do not divide a row. */
  readonly insteadOf?: EncodableType;
  /** `[experts, columns]` weights for the encoder, or `[columns]` for all rows. */
  readonly importance?: Float32Array;
}

/** Everything about a quantized file that is known before a weight is read. */
export interface QuantizationPlan {
  readonly metadata: Metadata;
  readonly tensors: readonly PlannedTensor[];
  readonly notes: readonly string[];
  /** Exact header bytes, offsets and size of the file. */
  readonly layout: GgufPlan;
}

/** Groups of tensors that a summary tells apart. */
export type TensorClass = 'embedding' | 'output' | 'attention' | 'feedForward' | 'norm' | 'other';

/** Totals over the tensors of one class. */
export interface ClassTotals {
  readonly class: TensorClass;
  readonly tensors: number;
  readonly weights: number;
  readonly bytes: number;
}

/** Tensors, weights and bytes by class; classes in the order in which their first tensor appears. */
export function classTotals(
  tensors: readonly Pick<PlannedTensor, 'name' | 'shape' | 'bytes'>[],
): ClassTotals[] {
  const totals = new Map<TensorClass, ClassTotals>();
  for (const { name, shape, bytes } of tensors) {
    const key = classOf(name);
    const sum = totals.get(key) ?? { class: key, tensors: 0, weights: 0, bytes: 0 };
    totals.set(key, {
      class: key,
      tensors: sum.tensors + 1,
      weights: sum.weights + weightsOf(shape),
      bytes: sum.bytes + bytes,
    });
  }
  return [...totals.values()];
}

function classOf(name: string): TensorClass {
  if (/_norm\b/.test(name)) return 'norm';
  if (name.endsWith('token_embd.weight')) return 'embedding';
  if (name === 'output.weight') return 'output';
  if (name.includes('attn')) return 'attention';
  return name.includes('ffn') ? 'feedForward' : 'other';
}
