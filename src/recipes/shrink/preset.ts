import { fileTypeNames, type FileType } from '../../compress/quantize/file-types.ts';
import type { Imatrix } from '../../compress/quantize/importance.ts';
import { planQuantization } from '../../compress/quantize/plan.ts';
import type { QuantizationPlan } from '../../compress/quantize/quantization-plan.ts';
import type { Model } from '../../models/model.ts';

/** A mix that llama-quantize would write from the same importance matrix. */
export interface Preset {
  readonly type: FileType;
  readonly plan: QuantizationPlan;
}

/** Not for models that were trained otherwise: types of two to four levels, and those of experts alone. */
const special: readonly FileType[] = [
  'F32',
  'F16',
  'BF16',
  'Q2_0',
  'TQ2_0',
  'TQ1_0',
  'Q1_0',
  'MXFP4_MOE',
];

/** The mix whose file is nearest in size. */
export function nearestPreset(model: Model, imatrix: Imatrix, bytes: number): Preset {
  const types = fileTypeNames.filter((type) => !special.includes(type));
  const presets = types.map((type) => presetOf(model, imatrix, type));
  const distance = ({ plan }: Preset) => Math.abs(plan.layout.totalBytes - bytes);
  return presets.toSorted((a, b) => distance(a) - distance(b))[0]!;
}

/** The mix of a name. */
export function presetOf(model: Model, imatrix: Imatrix, type: FileType): Preset {
  return {
    type,
    plan: planQuantization(model, { type: { name: type, uniform: false }, imatrix }),
  };
}
