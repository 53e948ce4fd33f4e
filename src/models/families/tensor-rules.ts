import type { Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import type { Family, Size, TensorRule } from './family.ts';
import type { ModelConfig } from './model-config.ts';
import { sizesOf, type Sizes } from './sizes.ts';
import { renamed, stacked } from './tensor-views.ts';

/** A tensor of one model with its rule, layer and number filled in. */
export interface PlannedTensor {
  /** The name of the stored tensor, or those of the ones to stack. */
  readonly from: string | readonly string[];
  readonly to: string;
  readonly rule: TensorRule;
}

/** The tensors of a model: those outside the layers first, then layer by layer. */
export function planTensors(family: Family, config: ModelConfig): PlannedTensor[] {
  const sizes = sizesOf(family, config);
  const rules = family.tensors.filter((rule) => rule.when?.(config) ?? true);
  const perLayer = rules.filter(({ to }) => to.includes('{layer}'));
  const planned = rules
    .filter((rule) => !perLayer.includes(rule))
    .flatMap((rule) => expandNames(rule, sizes));
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const fill = (name: string) => name.replace('{layer}', String(layer));
    for (const rule of perLayer) {
      planned.push(...expandNames({ ...rule, from: fill(rule.from), to: fill(rule.to) }, sizes));
    }
  }
  return planned;
}

/** Fills in a size in braces: as many tensors when both names have it, a stack when one has. */
function expandNames(rule: TensorRule, sizes: Sizes): PlannedTensor[] {
  const { from, to } = rule;
  const [braces, size] = /\{(.+?)\}/.exec(from) ?? [];
  if (braces === undefined) return [{ from, to, rule }];
  const fill = (name: string, number: number) => name.replace(braces, String(number));
  const numbers = Array.from({ length: sizes[size as Size] ?? 0 }, (_, number) => number);
  if (!to.includes(braces))
    return [{ from: numbers.map((number) => fill(from, number)), to, rule }];
  return numbers.map((number) => ({ from: fill(from, number), to: fill(to, number), rule }));
}

/**
 * A planned tensor over the stored ones.
 *
 * @throws {@link PithError} `shape` when one of them contradicts config.json.
 */
export function viewOf(
  { from, to, rule }: PlannedTensor,
  stored: ReadonlyMap<string, Tensor>,
  sizes: Sizes,
  config: ModelConfig,
): Tensor {
  const part = (name: string) => checkShape(stored.get(name)!, rule, sizes);
  const whole = typeof from === 'string' ? renamed(part(from), to) : stacked(from.map(part), to);
  return rule.view ? rule.view(whole, config) : whole;
}

function checkShape(tensor: Tensor, { shape }: TensorRule, sizes: Sizes): Tensor {
  const expected = shape.map((size) => sizes[size] ?? 0);
  const agrees =
    tensor.shape.length === expected.length &&
    expected.every((size, at) => size === tensor.shape[at]);
  if (agrees) return tensor;
  throw new PithError(
    'shape',
    `${tensor.name} has shape [${tensor.shape.join(', ')}], but config.json makes it ` +
      `[${expected.join(', ')}] (${shape.join(' × ')}).`,
    'Get the config.json and the weights from the same version of the model.',
  );
}
