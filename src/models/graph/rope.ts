import type { Value } from '../../graph/value.ts';
import { PithError } from '../../util/errors.ts';
import { hyperParameter } from '../hyper-parameters.ts';
import type { Architecture } from './architectures.ts';
import type { ModelOutline, ModelScope } from './model-scope.ts';

/** Rotary position embedding of a block. */
export interface RopePlan {
  readonly order: 'pairs' | 'halves';
  /** Elements of a head that are turned; the rest pass. */
  readonly width: number;
  /** Radians by which a position turns each pair, `[width / 2]`. */
  readonly frequencies: readonly number[];
  /** What sines and cosines are multiplied by. */
  readonly magnitude: number;
  /** A tensor of the model that the frequencies are divided by. */
  readonly factors: string | undefined;
}

/** Cosines and sines `[T, width / 2]`. */
export interface RopeTables {
  readonly cos: Value;
  readonly sin: Value;
}

/** The rotary base where a file states none. */
const defaultBase = 10000;

/**
 * Reads a model's rotary position embedding from its keys.
 *
 * @throws PithError `unsupported` for a kind of scaling that GGUF did not have in llama.cpp v0.5.0,
 *   `corrupt` when a head has no such part to turn.
 * @see ggml_rope_yarn and llama-context.cpp, llama.cpp v0.5.0; modeling_rope_utils.py, transformers
 *   4.57. Differs from llama.cpp as transformers does: yarn's `beta_fast` and `beta_slow` are obeyed,
 *   and longrope changes its factors with the length of the text, not of the context.
 */
export function ropePlan(
  model: ModelOutline,
  architecture: Architecture,
  { headWidth, length, window }: { headWidth: number; length: number; window: number | undefined },
): RopePlan {
  const width = hyperParameter(model, 'rope.dimension_count') ?? headWidth;
  const ownBase = window !== undefined && architecture.windowRopeBase;
  if (!(width > 0 && width <= headWidth && width % 2 === 0)) {
    throw new PithError(
      'corrupt',
      `${model.architecture}.rope.dimension_count is ${width}, in heads of width ${headWidth}.`,
      'Check the file with pith verify.',
    );
  }
  const plan = { order: architecture.rope!, width };
  if (ownBase) {
    const base = hyperParameter(model, 'rope.freq_base_swa') ?? ownBase;
    return { ...plan, frequencies: powers(base, width), magnitude: 1, factors: undefined };
  }
  const base = hyperParameter(model, 'rope.freq_base') ?? defaultBase;
  return {
    ...plan,
    frequencies: scaledFrequencies(model, base, width),
    magnitude: magnitudeOf(model),
    factors: factorsOf(model, length),
  };
}

function powers(base: number, width: number): number[] {
  return Array.from({ length: width / 2 }, (_, pair) => base ** ((-2 * pair) / width));
}

const scalingTypes = ['none', 'linear', 'yarn', 'longrope'] as const;

function scalingType(model: ModelOutline): (typeof scalingTypes)[number] {
  const type = model.metadata.get(`${model.architecture}.rope.scaling.type`)?.value ?? 'linear';
  const known = scalingTypes.find((name) => name === type);
  if (known) return known;
  throw new PithError(
    'unsupported',
    `${model.architecture}.rope.scaling.type is ${JSON.stringify(type)}; Pith knows none, linear, yarn and longrope.`,
    'Check the file with pith verify.',
  );
}

function scalingFactor(model: ModelOutline): number {
  return (
    hyperParameter(model, 'rope.scaling.factor') || hyperParameter(model, 'rope.scale_linear') || 1
  );
}

function scaledFrequencies(model: ModelOutline, base: number, width: number): number[] {
  const type = scalingType(model);
  const plain = powers(base, width);
  if (type === 'none' || type === 'longrope') return plain;
  const factor = scalingFactor(model);
  if (type === 'linear') return plain.map((frequency) => frequency / factor);
  const [low, high] = yarnRange(model, base, width);
  return plain.map((frequency, pair) => {
    const ramp = Math.min(1, Math.max(0, (pair - low) / Math.max(0.001, high - low)));
    return (frequency / factor) * ramp + frequency * (1 - ramp);
  });
}

/** Pairs between which yarn goes over from the frequencies as they were to those divided by the factor. */
function yarnRange(model: ModelOutline, base: number, width: number): [number, number] {
  const context = originalContext(model);
  const pairOf = (turns: number) =>
    (width * Math.log(context / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const fast = hyperParameter(model, 'rope.scaling.yarn_beta_fast') ?? 32;
  const slow = hyperParameter(model, 'rope.scaling.yarn_beta_slow') ?? 1;
  return [Math.max(0, Math.floor(pairOf(fast))), Math.min(width - 1, Math.ceil(pairOf(slow)))];
}

function originalContext(model: ModelOutline): number {
  return (
    hyperParameter(model, 'rope.scaling.original_context_length') ??
    hyperParameter(model, 'context_length') ??
    Infinity
  );
}

function magnitudeOf(model: ModelOutline): number {
  const stated = hyperParameter(model, 'rope.scaling.attn_factor') ?? 1;
  return scalingType(model) === 'yarn'
    ? stated * (1 + 0.1 * Math.log(scalingFactor(model)))
    : stated;
}

function factorsOf(model: ModelOutline, length: number): string | undefined {
  const long = length > originalContext(model) ? 'long' : 'short';
  const names = ['rope_freqs.weight', `rope_factors_${long}.weight`];
  return names.find((name) => model.tensors.has(name));
}

/** Tables of angles for positions 0 to `length` − 1, computed in f64 unless the model divides them. */
export function ropeTables(scope: ModelScope, plan: RopePlan, length: number): RopeTables {
  const { g } = scope;
  const { frequencies, magnitude, factors } = plan;
  const pairs = frequencies.length;
  if (factors === undefined) {
    const table = (turn: (angle: number) => number) =>
      g.constant(
        Float32Array.from({ length: length * pairs }, (_, at) => {
          const angle = Math.floor(at / pairs) * frequencies[at % pairs]!;
          return magnitude * turn(angle);
        }),
        [length, pairs],
      );
    return { cos: table(Math.cos), sin: table(Math.sin) };
  }
  const positions = g.constant(
    Float32Array.from({ length }, (_, at) => at),
    [length, 1],
  );
  const plain = g.constant(Float32Array.from(frequencies), [1, pairs]);
  const divided = g.div(plain, g.reshape(scope.weight(factors, factors), [1, pairs]));
  const angles = g.mul(positions, divided);
  const scaled = (x: Value) => (magnitude === 1 ? x : g.mul(x, g.scalar(magnitude)));
  return { cos: scaled(g.cos(angles)), sin: scaled(g.sin(angles)) };
}

/**
 * Heads `[B,T,H,D]` turned by their positions, as `[B,H,T,D]`.
 *
 * For the order `pairs` the result has the first of all pairs before the second of all: queries and
 * keys are turned alike, so their products do not change.
 */
export function turnHeads(
  scope: ModelScope,
  heads: Value,
  plan: RopePlan,
  { cos, sin }: RopeTables,
): Value {
  const { g } = scope;
  const width = heads.shape[3]!;
  const [turning, passing] =
    plan.width === width ? [heads] : g.split(heads, 3, [plan.width, width - plan.width]);
  const [first, second] = g.split(inHalves(scope, turning!, plan.order), 3, [
    plan.width / 2,
    plan.width / 2,
  ]);
  const parts = [
    g.sub(g.mul(first!, cos), g.mul(second!, sin)),
    g.add(g.mul(second!, cos), g.mul(first!, sin)),
  ];
  return g.concat(passing ? [...parts, g.transpose(passing, headsFirst)] : parts, 3);
}

/** `[B,T,H,D]` → `[B,H,T,D]`. */
export const headsFirst = [0, 2, 1, 3];

/** The same with the first elements of all pairs before the second ones: one transposition does both. */
function inHalves({ g }: ModelScope, heads: Value, order: RopePlan['order']): Value {
  if (order === 'halves') return g.transpose(heads, headsFirst);
  const [batch, length, count, width] = heads.shape as [number, number, number, number];
  const pairs = g.reshape(heads, [batch, length, count, width / 2, 2]);
  return g.reshape(g.transpose(pairs, [0, 2, 1, 4, 3]), [batch, count, length, width]);
}
