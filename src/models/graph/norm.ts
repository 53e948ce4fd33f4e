import { gelu, geluTanh, relu, silu } from '../../graph/composites/activations.ts';
import { layerNorm, rmsNorm } from '../../graph/composites/normalization.ts';
import type { Operations } from '../../graph/operations.ts';
import type { Value } from '../../graph/value.ts';
import type { Activation, Architecture } from './architectures.ts';
import type { Place } from './model-scope.ts';

/** `x` normalized over its last axis as the architecture does, by `name.weight` and `name.bias`. */
export function normalize(
  place: Place,
  name: string,
  x: Value,
  { architecture, epsilon }: { architecture: Architecture; epsilon: number },
): Value {
  const { g } = place;
  const weight = place.weight(`${name}.weight`);
  const bias = place.optional(`${name}.bias`);
  if (architecture.norm === 'rms') return rmsNorm(g, x, weight, epsilon);
  if (architecture.norm === 'layer')
    return layerNorm(g, x, { weight, ...(bias && { bias }) }, epsilon);
  const scaled = g.mul(x, weight);
  return bias ? g.add(scaled, bias) : scaled;
}

/** The functions between the matrices of a feed-forward part. */
export const activations: Readonly<Record<Activation, (g: Operations, x: Value) => Value>> = {
  silu,
  gelu,
  geluTanh,
  relu,
};
