import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Shape, Value } from '../../graph/value.ts';
import { PithError } from '../../util/errors.ts';
import type { Model } from '../model.ts';

/** What of a model decides its graph: keys, and names and shapes of tensors. No weight is read. */
export type ModelOutline = Pick<Model, 'architecture' | 'metadata' | 'tensors'>;

/** Names in messages end in a count after so many. */
const namesShown = 5;

/** Tensors that a graph may leave out: GGUF carries them for other uses. */
const otherUses = [
  /^rope_(freqs|factors_long|factors_short)\.weight$/,
  /\.attn_rot_embd$/,
  /^cls\./,
];

/**
 * A graph of a model while it is built: each weight becomes an input under its GGUF name when it is
 * first asked for, and named activations (taps) become outputs where they were asked for.
 */
export class ModelScope {
  readonly g: GraphBuilder = new GraphBuilder();
  readonly model: ModelOutline;
  readonly #weights = new Map<string, Value>();
  readonly #used = new Set<string>();
  readonly #wanted: ReadonlySet<string>;
  readonly #taps = new Set<string>();

  constructor(model: ModelOutline, taps: readonly string[] = []) {
    this.model = model;
    this.#wanted = new Set(taps);
  }

  /** Every activation that could have been an output. */
  get taps(): readonly string[] {
    return [...this.#taps];
  }

  /** The tensors outside the blocks. */
  get root(): Place {
    return new Place(this, '', '');
  }

  /** The tensors of a block, as inputs `blk.3.…`, or `blk.…` when the graph must not name a layer. */
  block(index: number, naming: 'numbered' | 'anyBlock'): Place {
    const tensors = `blk.${index}.`;
    return new Place(this, naming === 'numbered' ? tensors : 'blk.', tensors);
  }

  /** The input for a tensor of the model. */
  weight(input: string, tensor: string): Value {
    const known = this.#weights.get(input);
    if (known) return known;
    this.#used.add(tensor);
    const value = this.g.input(input, 'f32', shapeOf(this.model, tensor));
    this.#weights.set(input, value);
    return value;
  }

  /** Says that a tensor of the family has no part in this graph. */
  leaveOut(tensor: string): void {
    this.#used.add(tensor);
  }

  /** Gives an activation its name, and makes it an output if that was asked for. */
  tap(name: string, value: Value): void {
    this.#taps.add(name);
    if (this.#wanted.has(name)) this.g.output(name, value);
  }

  /**
   * The finished graph.
   *
   * @param complete - Tensors whose names start so must all have been used; none when left out.
   * @throws PithError `not-found` for taps that there are not, `unsupported` for tensors that the
   *   family does not know: leaving them out would change the model.
   */
  finish(complete?: string): Graph {
    const unknown = [...this.#wanted].filter((name) => !this.#taps.has(name));
    if (unknown.length > 0) {
      throw new PithError(
        'not-found',
        `The graph has no activation ${listNames(unknown)}.`,
        `Known are ${listNames(this.taps)}; tapNames lists all.`,
      );
    }
    const unused = [...this.model.tensors.keys()].filter(
      (name) =>
        complete !== undefined &&
        name.startsWith(complete) &&
        !this.#used.has(name) &&
        !otherUses.some((pattern) => pattern.test(name)),
    );
    if (unused.length > 0) {
      throw new PithError(
        'unsupported',
        `${unused.length} tensors are unknown to the graph of ${this.model.architecture} models: ` +
          `${listNames(unused)}.`,
        'The model may be a variant of the family that Pith does not know.',
      );
    }
    return this.g.build();
  }
}

/** Where in a model a layer's tensors lie; names are without the place's prefix. */
export class Place {
  readonly scope: ModelScope;
  readonly g: GraphBuilder;
  readonly #inputs: string;
  readonly #tensors: string;

  constructor(scope: ModelScope, inputs: string, tensors: string) {
    this.scope = scope;
    this.g = scope.g;
    this.#inputs = inputs;
    this.#tensors = tensors;
  }

  has(name: string): boolean {
    return this.scope.model.tensors.has(this.#tensors + name);
  }

  shape(name: string): Shape {
    return shapeOf(this.scope.model, this.#tensors + name);
  }

  weight(name: string): Value {
    return this.scope.weight(this.#inputs + name, this.#tensors + name);
  }

  optional(name: string): Value | undefined {
    return this.has(name) ? this.weight(name) : undefined;
  }

  tap(name: string, value: Value): Value {
    this.scope.tap(this.#inputs + name, value);
    return value;
  }

  /** `x [...,in]` → `[...,out]` by `name.weight` and, if there is one, `name.bias`. */
  linear(name: string, x: Value): Value {
    this.tap(`${name}.input`, x);
    const y = this.g.linear(x, this.weight(`${name}.weight`), this.optional(`${name}.bias`));
    return this.tap(`${name}.output`, y);
  }
}

function shapeOf(model: ModelOutline, name: string): Shape {
  const tensor = model.tensors.get(name);
  if (tensor) return tensor.shape;
  throw new PithError(
    'corrupt',
    `The ${model.architecture} model has no tensor ${name}.`,
    'Check the file with pith verify.',
  );
}

function listNames(names: readonly string[]): string {
  const more = names.length - namesShown;
  return names.slice(0, namesShown).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
