import {
  candidatesFor,
  modelAlignment,
  tensorsToAllocate,
} from '../../../compress/allocate/candidates.ts';
import { parseBlockType } from '../../../compress/quantize/file-types.ts';
import type { EncodableType } from '../../../kernels/kernels.ts';
import type { Model } from '../../../models/model.ts';
import { PithError } from '../../../util/errors.ts';
import type { Candidates } from './file-frame.ts';

/** Weights come from a table of vectors: small and good, but slow to decode on some processors and in browsers. */
const codebookTypes: readonly EncodableType[] = ['IQ2_XXS', 'IQ2_XS', 'IQ2_S', 'IQ3_XXS', 'IQ3_S'];

/** The legacy ones serve rows that are no multiple of 256. */
const plainTypes: readonly EncodableType[] = [
  'Q2_K',
  'Q3_K',
  'IQ4_XS',
  'IQ4_NL',
  'Q4_0',
  'Q4_1',
  'Q4_K',
  'Q5_0',
  'Q5_1',
  'Q5_K',
  'Q6_K',
  'Q8_0',
];

/** Which types may be chosen. */
export interface CandidateOptions {
  /** Also the IQ types of codebooks. Default true. */
  readonly codebooks?: boolean | undefined;
  /** These alone. */
  readonly types?: readonly string[] | undefined;
}

/**
 * The types that may be chosen.
 *
 * @throws PithError `usage`, `unsupported` for names that are no such types.
 */
export function candidateTypes({
  codebooks = true,
  types = [],
}: CandidateOptions): EncodableType[] {
  const all = types.length > 0 ? types.map(parseBlockType) : [...codebookTypes, ...plainTypes];
  const allowed = codebooks ? all : all.filter((type) => !codebookTypes.includes(type));
  if (allowed.length > 0) return [...new Set(allowed)];
  throw new PithError(
    'usage',
    `Of the types ${types.join(', ')} none is left without codebooks.`,
    'Leave --no-codebooks out, or add other types to --types.',
  );
}

/**
 * The matrices whose types are chosen, with those that each may take.
 *
 * @throws PithError `unsupported` for a model without such a matrix.
 */
export function candidatesOf(model: Model, types: readonly EncodableType[]): Candidates {
  const alignment = modelAlignment(model);
  const tensors = tensorsToAllocate(model);
  if (tensors.length === 0)
    throw new PithError('unsupported', `${model.source} has no matrices that could be quantized.`);
  return new Map(
    tensors.map((tensor) => [tensor.name, candidatesFor(tensor, { types }, alignment)]),
  );
}
