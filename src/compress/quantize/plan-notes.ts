import type { Model } from '../../models/model.ts';
import { blockTypes } from '../../tensor/block-types.ts';
import { unitOf, type TensorType } from '../../tensor/dtypes.ts';
import type { QuantizationType } from './file-types.ts';
import type { PlannedTensor, QuantizeOptions } from './quantization-plan.ts';
import { roleOf } from './roles.ts';

/** A list of names longer than this ends in a count. */
const namesShown = 6;

/** What a user should know about a plan: losses, fallbacks, and requests without effect. */
export function planNotes(
  model: Model,
  tensors: readonly PlannedTensor[],
  options: QuantizeOptions,
): string[] {
  return [
    ...model.notes,
    ...(options.imatrix?.notes ?? []),
    ...overrideNotes(tensors, options),
    ...fallbackNotes(tensors),
    ...requantizeNotes(tensors),
    ...importanceNotes(tensors, options),
  ];
}

function overrideNotes(
  tensors: readonly PlannedTensor[],
  { overrides = [] }: QuantizeOptions,
): string[] {
  return overrides.flatMap(({ pattern, type }) => {
    const matches = tensors.filter(({ name }) => pattern.test(name));
    const request = `--tensor '${pattern.source}=${type}'`;
    if (matches.length === 0) return [`${request} matches no tensor.`];
    const kept = matches.filter(({ reason }) => reason === 'kept');
    return kept.length > 0
      ? [`${request} leaves ${listNames(kept)} as stored: vectors and routers are not quantized.`]
      : [];
  });
}

function fallbackNotes(tensors: readonly PlannedTensor[]): string[] {
  const groups = new Map<string, PlannedTensor[]>();
  for (const tensor of tensors) {
    if (!tensor.insteadOf) continue;
    const columns = tensor.shape.at(-1)!;
    const { weights } = blockTypes[tensor.insteadOf];
    const key = `${tensor.to} instead of ${tensor.insteadOf}: rows of ${columns} weights are not whole blocks of ${weights}`;
    groups.set(key, [...(groups.get(key) ?? []), tensor]);
  }
  return [...groups].map(([key, group]) => `${group.length} tensors take ${key}.`);
}

function requantizeNotes(tensors: readonly PlannedTensor[]): string[] {
  const again = tensors.filter(
    ({ from, to }) => from !== to && isQuantized(from) && isQuantized(to),
  );
  if (again.length === 0) return [];
  const types = [...new Set(again.map(({ from }) => from))].join(', ');
  return [
    `${again.length} tensors are already quantized (${types}); quantizing them again loses more ` +
      'than quantizing the original weights would.',
  ];
}

function importanceNotes(
  tensors: readonly PlannedTensor[],
  { type, imatrix }: QuantizeOptions,
): string[] {
  if (!imatrix) {
    const needy = tensors.filter(
      ({ name, from, to }) => from !== to && needsImportance(name, to, type),
    );
    const types = [...new Set(needy.map(({ to }) => (to === 'Q2_K' ? type.name : to)))];
    return types.map((name) => `${name} without --imatrix is poor; llama-quantize refuses it.`);
  }
  const missing = tensors.filter(
    ({ from, to, importance }) => from !== to && isQuantized(to) && importance === undefined,
  );
  if (missing.length === 0) return [];
  return [`${imatrix.source} has no importance for ${listNames(missing)}.`];
}

/** Block types that llama-quantize does not write without an imatrix, but for the embedding and the head. */
const needyTypes: readonly TensorType[] = ['IQ3_XXS', 'IQ2_S', 'IQ2_XS', 'IQ2_XXS'];

function needsImportance(name: string, to: TensorType, type: QuantizationType): boolean {
  if (roleOf(name) === 'embedding' || roleOf(name) === 'head') return false;
  return needyTypes.includes(to) || (to === 'Q2_K' && type.name === 'Q2_K_S');
}

function isQuantized(type: TensorType): boolean {
  return unitOf(type).weights > 1;
}

function listNames(tensors: readonly PlannedTensor[]): string {
  const names = tensors.slice(0, namesShown).map(({ name }) => name);
  const more = tensors.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
