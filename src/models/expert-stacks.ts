import type { Tensor } from '../tensor/tensor.ts';

/** How many experts' matrices a tensor stacks; undefined for a tensor that every token uses. */
export function stackedExperts({
  name,
  shape,
}: Pick<Tensor, 'name' | 'shape'>): number | undefined {
  return name.includes('_exps.') && shape.length > 2 ? shape.at(-3) : undefined;
}
