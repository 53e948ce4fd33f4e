import { alignmentOf, padded } from '../../formats/gguf/alignment.ts';
import { tensorBytes } from '../../formats/stored-tensor.ts';
import type { EncodableType } from '../../kernels/kernels.ts';
import type { Model } from '../../models/model.ts';
import { bitsPerWeight } from '../../tensor/block-types.ts';
import { columnsOf, type Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { typeThatFits } from '../quantize/mix.ts';
import type { TensorOverride } from '../quantize/overrides.ts';
import { isQuantizable } from '../quantize/roles.ts';

/** Which types tensors may have. */
export interface TypeRules {
  /** Candidates for every tensor. */
  readonly types: readonly EncodableType[];
  /** The first whose pattern matches a name: no candidate of fewer bits than its type. */
  readonly minimum?: readonly TensorOverride[];
}

/** A type that a tensor may have, and the bytes that it takes in a GGUF file, padding included. */
export interface Candidate {
  readonly type: EncodableType;
  readonly bytes: number;
}

/** The tensors whose type is to be chosen: those that quantizing does not keep. */
export function tensorsToAllocate({ tensors }: Model): Tensor[] {
  return [...tensors.values()].filter(
    ({ name, shape, type }) => isQuantizable(name, shape) && !/^(I|U)\d+$|^BOOL$/.test(type),
  );
}

/**
 * The types that one tensor may have: those asked for, or what takes their place where blocks do not divide a row.
 *
 * @throws PithError `usage` when its minimum leaves none.
 */
export function candidatesFor(
  { name, shape }: Tensor,
  { types, minimum = [] }: TypeRules,
  alignment: number,
): Candidate[] {
  const columns = columnsOf(shape);
  const least = minimum.find(({ pattern }) => pattern.test(name));
  const fitting = new Set(
    types
      .filter((type) => !least || bitsPerWeight(type) >= bitsPerWeight(least.type))
      .map((type) => typeThatFits(type, columns)),
  );
  if (fitting.size === 0)
    throw new PithError(
      'usage',
      `${name} is to have at least ${bitsPerWeight(least?.type ?? 'F32')} bits a weight, but the candidates are ${types.join(', ') || 'none'}.`,
      `Add ${least?.type ?? 'a type'} to the candidates.`,
    );
  return [...fitting].map((type) => ({
    type,
    bytes: padded(tensorBytes(name, shape, type), alignment),
  }));
}

/** What a model's tensors are padded to. */
export function modelAlignment({ metadata, source }: Model): number {
  return alignmentOf(metadata, (problem) => new PithError('corrupt', `${source}: ${problem}`));
}
