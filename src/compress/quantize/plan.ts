import type { Model } from '../../models/model.ts';
import { columnsOf, type Tensor } from '../../tensor/tensor.ts';
import { fileTypes } from './file-types.ts';
import { mixContext, mixTensors } from './mix-context.ts';
import { mixType, typeThatFits, type MixContext, type MixTensor } from './mix.ts';
import { isFloating, planAs, planFile, planKept, requireSameModel } from './plan-file.ts';
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
  return planFile(model, tensors, options);
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
  return {
    ...planAs(tensor, to, imatrix),
    reason: override ? 'override' : type.uniform ? 'uniform' : 'mix',
    ...(to !== chosen && { insteadOf: chosen }),
  };
}
