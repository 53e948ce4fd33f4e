import { hyperParameter } from '../../models/hyper-parameters.ts';
import type { Model } from '../../models/model.ts';
import type { MixContext, MixTensor } from './mix.ts';
import { isQuantizable, layerOf, roleOf, type Role } from './roles.ts';

/** Layer counts that llama.cpp takes for a 70-billion-parameter model, besides Llama's own 80. */
const layersOf70B: Readonly<Record<string, number>> = { qwen2: 80, deci: 80, olmo: 80, jais2: 68 };

/** What the rules of a mix need to know about a model. */
export function mixContext(model: Model, hasImportance: boolean): MixContext {
  const heads = hyperParameter(model, 'attention.head_count') ?? 0;
  const kvHeads = hyperParameter(model, 'attention.head_count_kv') ?? heads;
  const layers = hyperParameter(model, 'block_count') ?? countLayers(model);
  const experts = hyperParameter(model, 'expert_count') ?? 0;
  return {
    architecture: model.architecture,
    layers,
    headsPerKvHead: kvHeads > 0 ? Math.floor(heads / kvHeads) : 0,
    experts,
    tiedHead: !model.tensors.has('output.weight'),
    is70B: is70B(model, layers) && (!isLlama(model) || (experts === 0 && heads !== kvHeads)),
    hasImportance,
  };
}

const isLlama = ({ architecture }: Model) =>
  architecture === 'llama' || architecture === 'llama-embed';

function is70B(model: Model, layers: number): boolean {
  const mainLayers = layers - (hyperParameter(model, 'nextn_predict_layers') ?? 0);
  const expected = isLlama(model) ? 80 : layersOf70B[model.architecture];
  return mainLayers === expected;
}

function countLayers(model: Model): number {
  const layers = [...model.tensors.keys()].map((name) => layerOf(name) ?? -1);
  return layers.reduce((most, layer) => Math.max(most, layer + 1), 0);
}

/**
 * The quantizable tensors of a model with their places: layers first to last, and by name within a
 * layer, which is the order in which llama-quantize counts.
 */
export function mixTensors(model: Model, context: MixContext): Map<string, MixTensor> {
  const seen = new Map<Role, number>();
  const valueTensors = [...model.tensors.keys()].filter((name) => roleOf(name) === 'value').length;
  const places = new Map<string, MixTensor>();
  for (const [name, { shape }] of [...model.tensors].sort(([a], [b]) => compareNames(a, b))) {
    if (!isQuantizable(name, shape)) continue;
    const role = roleOf(name);
    const position = seen.get(role) ?? 0;
    seen.set(role, position + 1);
    // Expert models may hold several matrices of a role in a layer, so there the layer's number counts.
    const byLayer = context.experts > 1 && role !== 'value';
    places.set(name, {
      shape,
      role,
      index: (byLayer ? layerOf(name) : undefined) ?? position,
      position,
      peers: role === 'value' ? valueTensors : context.layers,
    });
  }
  return places;
}

function compareNames(a: string, b: string): number {
  const byLayer = (layerOf(a) ?? -1) - (layerOf(b) ?? -1);
  return byLayer || (a < b ? -1 : 1);
}
