import {
  architectureOf,
  architectures,
  type Architecture,
} from '../../models/graph/architectures.ts';
import { decoderGraph } from '../../models/graph/decoder.ts';
import { blockCount, blockPlan } from '../../models/graph/decoder-plan.ts';
import { encoderGraph } from '../../models/graph/encoder.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import { stackedExperts } from '../../models/expert-stacks.ts';

/**
 * Matrices that read the same activations, and what makes those activations: dividing the one and multiplying
 * the columns of the others by the same numbers leaves the model's function as it is.
 */
export interface FoldGroup {
  /** What is divided: `blk.0.attn_norm`, `blk.0.attn_v`, `blk.0.ffn_up`. */
  readonly name: string;
  /** Elements of vectors, or rows of matrices, from `first` on are divided. */
  readonly divided: readonly { readonly tensor: string; readonly first: number }[];
  /** Matrices whose columns are multiplied. */
  readonly multiplied: readonly string[];
  /** Independent vectors of scales: one an expert where rows of experts are divided, else 1. */
  readonly sets: number;
  /** Scales in a set. */
  readonly size: number;
  /** Heads of `width` columns; `shared` neighbours of them read one head of values, so have one head of scales. */
  readonly heads?: { readonly width: number; readonly shared: number };
}

/** A norm and the matrices that alone read what it gives. */
interface NormRule {
  readonly norm: string;
  readonly readers: readonly string[];
}

const projections = ['attn_q', 'attn_k', 'attn_v', 'attn_qkv'] as const;
const feedForward = ['ffn_gate', 'ffn_up'] as const;
const experts = [
  'ffn_gate_inp',
  'ffn_gate_exps',
  'ffn_up_exps',
  'ffn_gate_inp_shexp',
  'ffn_gate_shexp',
  'ffn_up_shexp',
] as const;

const separate: readonly NormRule[] = [
  { norm: 'attn_norm', readers: projections },
  { norm: 'ffn_norm', readers: [...feedForward, ...experts] },
];

/**
 * Norms that matrices alone read, by where norms stand (`arrangements` in src/models/graph/block.ts). Those after
 * a sum feed the next sum too, and those before a sum feed nothing else: neither can be divided.
 */
const normRules: Readonly<Record<Architecture['norms'], readonly NormRule[]>> = {
  before: separate,
  bothSides: separate,
  parallel: [{ norm: 'attn_norm', readers: [...projections, ...feedForward] }],
  after: [],
  bottleneck: [
    { norm: 'bottleneck_attn_norm', readers: ['attn_q', 'attn_k'] },
    { norm: 'ffn_norm', readers: ['bottleneck_out'] },
  ],
};

/**
 * Every group of a model, block after block, the output matrix last.
 *
 * - A norm and its readers: divided are its weight and, where it has one, its bias. Gemma's norms are here as
 *   GGUF has them, with the 1 added. The router and the gate of a shared expert are readers too.
 * - Values and the attention output: a head of values that several query heads read has one head of scales.
 * - Up and down of a feed-forward part with a gate, each expert by itself; without a gate only where the
 *   activation is ReLU, as no other lets a positive factor through.
 * - The last norm and the output matrix, unless that is the embedding.
 *
 * @throws PithError `unsupported` for an architecture or a tensor that Pith's graphs do not know: it could read
 *   the same activations. `corrupt` when tensors or keys are missing.
 */
export function foldGroups(model: ModelOutline): FoldGroup[] {
  demandKnownTensors(model);
  const architecture = architectures[model.architecture]!;
  const groups: FoldGroup[] = [];
  for (let index = 0; index < blockCount(model); index++) {
    const block = { model, architecture, index };
    groups.push(...normGroups(block), ...valueGroup(block), ...feedForwardGroups(block));
  }
  return [...groups, ...normGroup(model, '', { norm: 'output_norm', readers: ['output'] })];
}

function demandKnownTensors(model: ModelOutline): void {
  const sizes = { batch: 1, length: 1 };
  if (architectures[model.architecture]?.kind === 'encoder') encoderGraph(model, sizes);
  else {
    architectureOf(model.architecture, 'decoder');
    decoderGraph(model, { ...sizes, logits: 'all' });
  }
}

interface Block {
  readonly model: ModelOutline;
  readonly architecture: Architecture;
  readonly index: number;
}

function normGroups({ model, architecture, index }: Block): FoldGroup[] {
  const prefix = `blk.${index}.`;
  const oneNorm =
    architecture.parallelWithoutSecondNorm && !model.tensors.has(`${prefix}ffn_norm.weight`);
  const rules = normRules[oneNorm ? 'parallel' : architecture.norms];
  return rules.flatMap((rule) => normGroup(model, prefix, rule));
}

function normGroup(model: ModelOutline, prefix: string, { norm, readers }: NormRule): FoldGroup[] {
  const multiplied = present(model, prefix, readers, ['weight']);
  if (multiplied.length === 0) return [];
  const divided = present(model, prefix, [norm], ['weight', 'bias']);
  return [
    {
      name: prefix + norm,
      divided: divided.map((tensor) => ({ tensor, first: 0 })),
      multiplied,
      sets: 1,
      size: model.tensors.get(divided[0]!)!.shape[0]!,
    },
  ];
}

function valueGroup({ model, architecture, index }: Block): FoldGroup[] {
  const prefix = `blk.${index}.`;
  const plan = blockPlan(model, architecture, index, 1);
  const isFused = model.tensors.has(`${prefix}attn_qkv.weight`);
  const first = isFused ? (plan.heads + plan.kvHeads) * plan.headWidth : 0;
  const source = isFused ? 'attn_qkv' : 'attn_v';
  const divided = present(model, prefix, [source], ['weight', 'bias']);
  return [
    {
      name: `${prefix}attn_v`,
      divided: divided.map((tensor) => ({ tensor, first })),
      multiplied: [`${prefix}attn_output.weight`],
      sets: 1,
      size: plan.kvHeads * plan.valueWidth,
      heads: { width: plan.valueWidth, shared: plan.heads / plan.kvHeads },
    },
  ];
}

/** Ends of the names of a feed-forward part's matrices: plain, shared expert, experts, MobileBERT's numbered ones. */
function suffixes({ tensors }: ModelOutline, prefix: string): string[] {
  const start = `${prefix}ffn_up`;
  const names = [...tensors.keys()].filter((name) => name.startsWith(start));
  return names
    .filter((name) => name.endsWith('.weight'))
    .map((name) => name.slice(start.length, -'.weight'.length));
}

function feedForwardGroups({ model, architecture, index }: Block): FoldGroup[] {
  const prefix = `blk.${index}.`;
  return suffixes(model, prefix).flatMap((suffix) => {
    const down = model.tensors.get(`${prefix}ffn_down${suffix}.weight`)!;
    const up = model.tensors.get(`${prefix}ffn_up${suffix}.weight`)!;
    const size = down.shape.at(-1)!;
    const isFused = up.shape.at(-2) === 2 * size;
    const hasGate = isFused || model.tensors.has(`${prefix}ffn_gate${suffix}.weight`);
    if (!hasGate && architecture.activation !== 'relu') return [];
    const divided = present(model, prefix, [`ffn_up${suffix}`], ['weight', 'bias']);
    return [
      {
        name: `${prefix}ffn_up${suffix}`,
        divided: divided.map((tensor) => ({ tensor, first: isFused ? size : 0 })),
        multiplied: [down.name],
        sets: stackedExperts(down) ?? 1,
        size,
      },
    ];
  });
}

function present(
  { tensors }: ModelOutline,
  prefix: string,
  names: readonly string[],
  ends: readonly string[],
): string[] {
  return names
    .flatMap((name) => ends.map((end) => `${prefix}${name}.${end}`))
    .filter((name) => tensors.has(name));
}

/** Which scale of its set a column of a group's matrices is multiplied by. */
export function scaleOfColumn({ heads }: FoldGroup, column: number): number {
  if (heads === undefined) return column;
  const { width, shared } = heads;
  return Math.floor(column / (width * shared)) * width + (column % width);
}
