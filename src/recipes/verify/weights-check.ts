import type { Transcoder } from '../../kernels/transcoder.ts';
import type { Model } from '../../models/model.ts';
import { weightsOf } from '../../tensor/tensor.ts';
import { nonFiniteWeight, type SearchOptions } from '../non-finite-weight.ts';
import { wrong } from './check.ts';

/**
 * Checks that all weights are finite.
 *
 * @throws {@link PithError} `verify-failed` naming tensor, row and column; `cancelled`.
 */
export async function checkWeights(
  model: Model,
  transcoder: Transcoder,
  options: SearchOptions,
): Promise<string> {
  const found = await nonFiniteWeight(model, transcoder, options);
  if (found !== undefined) throw wrong(found);
  const all = [...model.tensors.values()];
  const total = all.reduce((sum, { shape }) => sum + weightsOf(shape), 0);
  return `${total} weights in ${all.length} tensors are finite`;
}
