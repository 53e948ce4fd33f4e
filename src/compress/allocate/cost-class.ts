import { layerOf } from '../quantize/roles.ts';

/** Tensors whose predicted costs are off by about the same factor. */
export type CostClass = 'embedding' | 'firstLayers' | 'middleLayers' | 'lastLayers' | 'other';

const thirds = ['firstLayers', 'middleLayers', 'lastLayers'] as const;

/**
 * The class of each of a model's tensors: by thirds of its layers, tables and output matrices apart.
 *
 * @remarks What is predicted takes errors of different tokens as independent; attention after an early layer brings
 *   them together. On the model in the box, factors of thirds (1.5, 1.4, 0.9) leave 6 and 8 % of deviation over mixes
 *   that they were not fitted on, where one factor leaves 8 and 9 %, and factors of roles (query, value, down ...) 9
 *   and 10 %.
 */
export function costClasses(names: Iterable<string>): Map<string, CostClass> {
  const all = [...names];
  const layers = 1 + Math.max(...all.map((name) => layerOf(name) ?? 0));
  return new Map(
    all.map((name) => {
      const layer = layerOf(name);
      if (layer !== undefined) return [name, thirds[Math.floor((3 * layer) / layers)]!];
      const isTable = name.endsWith('token_embd.weight') || name === 'output.weight';
      return [name, isTable ? 'embedding' : 'other'];
    }),
  );
}
