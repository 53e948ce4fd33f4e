import type { EncodableType } from '../../kernels/kernels.ts';
import type { Model } from '../../models/model.ts';
import { weightsOf } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import type { FileType } from './file-types.ts';
import type { Imatrix } from './importance.ts';
import { isFloating, planAs, planFile, planKept, requireSameModel } from './plan-file.ts';
import type { PlannedTensor, QuantizationPlan } from './quantization-plan.ts';
import { isQuantizable } from './roles.ts';

/**
 * What llama.cpp takes a file for that does not say what it is: the mix named after its main block type,
 * its middle one where there are several.
 *
 * @see llama_model_loader in src/llama-model-loader.cpp, llama.cpp v0.5.0.
 */
const fileTypeOf: Readonly<Record<EncodableType, FileType>> = {
  F32: 'F32',
  F16: 'F16',
  BF16: 'BF16',
  Q8_0: 'Q8_0',
  Q6_K: 'Q6_K',
  Q5_K: 'Q5_K_M',
  Q5_1: 'Q5_1',
  Q5_0: 'Q5_0',
  Q4_K: 'Q4_K_M',
  Q4_1: 'Q4_1',
  Q4_0: 'Q4_0',
  IQ4_NL: 'IQ4_NL',
  IQ4_XS: 'IQ4_XS',
  MXFP4: 'MXFP4_MOE',
  Q3_K: 'Q3_K_M',
  IQ3_S: 'IQ3_S',
  IQ3_XXS: 'IQ3_XXS',
  Q2_K: 'Q2_K',
  IQ2_S: 'IQ2_S',
  IQ2_XS: 'IQ2_XS',
  IQ2_XXS: 'IQ2_XXS',
  TQ2_0: 'TQ2_0',
  TQ1_0: 'TQ1_0',
  Q2_0: 'Q2_0',
  Q1_0: 'Q1_0',
};

/** Names of the tensors whose type may be chosen: matrices of weights, norms and routers excepted. */
export function quantizableTensors({ tensors }: Model): string[] {
  return [...tensors.values()]
    .filter(({ name, shape, type }) => isQuantizable(name, shape) && isFloating(type))
    .map(({ name }) => name);
}

/**
 * Lays out a file whose matrices have given types, reading no weight; tensors that are not named stay as
 * they are stored, vectors become F32.
 *
 * `general.file_type` names one mix, which no allocation is: it gets what llama.cpp would guess without the
 * key, but by the type of most weights, not of most tensors, so that tools show what the file mostly is.
 *
 * @throws {@link PithError} `not-found` for a type of a tensor that the model does not have, `shape` for one
 *   whose blocks do not divide a tensor's rows or an importance matrix of other sizes.
 * @remarks The header's length does not depend on the types.
 */
export function planAllocation(
  model: Model,
  types: ReadonlyMap<string, EncodableType>,
  imatrix?: Imatrix,
): QuantizationPlan {
  requireTensors(model, types);
  requireSameModel(model, imatrix);
  const tensors = [...model.tensors.values()].map((tensor): PlannedTensor => {
    const to = types.get(tensor.name);
    if (to === undefined) return planKept(tensor);
    return { ...planAs(tensor, to, imatrix), reason: 'allocation' };
  });
  const type = { name: fileTypeOf[mainType(model, types)], uniform: false };
  return planFile(model, tensors, { type, ...(imatrix && { imatrix }) });
}

function requireTensors(model: Model, types: ReadonlyMap<string, EncodableType>): void {
  const unknown = [...types.keys()].find((name) => !model.tensors.has(name));
  if (unknown === undefined) return;
  throw new PithError(
    'not-found',
    `A type is given for ${unknown}, which ${model.source} does not have.`,
    'Give types for the tensors of this very model.',
  );
}

/** The type that most weights have. */
function mainType(model: Model, types: ReadonlyMap<string, EncodableType>): EncodableType {
  const weights = new Map<EncodableType, number>();
  for (const [name, type] of types)
    weights.set(type, (weights.get(type) ?? 0) + weightsOf(model.tensors.get(name)!.shape));
  const [most] = [...weights].toSorted(([, a], [, b]) => b - a);
  return most?.[0] ?? 'F32';
}
