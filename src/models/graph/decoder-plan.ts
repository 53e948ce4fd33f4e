import { PithError } from '../../util/errors.ts';
import { hyperParameter, layerParameter, requiredParameter } from '../hyper-parameters.ts';
import type { Architecture } from './architectures.ts';
import type { ModelOutline } from './model-scope.ts';
import { ropePlan, type RopePlan } from './rope.ts';

/** How one block attends and what it is made of, as far as its tensors do not tell. */
export interface BlockPlan {
  readonly architecture: Architecture;
  readonly heads: number;
  readonly kvHeads: number;
  /** Width of a query or key head, and of a value head. */
  readonly headWidth: number;
  readonly valueWidth: number;
  readonly epsilon: number;
  /** What scores are multiplied by. */
  readonly scale: number;
  /** Scores are squeezed between ± this. */
  readonly softCap: number | undefined;
  readonly rope: RopePlan | undefined;
  /** Tokens that a token sees, itself included; all before it when undefined. */
  readonly window: number | undefined;
  readonly causal: boolean;
  /** Experts that each token goes through, of models that have some, and how they are weighted. */
  readonly experts: ExpertsPlan | undefined;
}

/** How tokens are sent to experts. */
export interface ExpertsPlan {
  readonly count: number;
  readonly used: number;
  readonly normalized: boolean;
  /** What the weights are multiplied by in the end. */
  readonly scale: number;
}

/** A number that the file states, or that is assumed where it does not. */
export function parameter(
  model: ModelOutline,
  architecture: Architecture,
  key: string,
): number | undefined {
  return hyperParameter(model, key) ?? architecture.assumed?.[key];
}

/** Number of blocks. */
export function blockCount(model: ModelOutline): number {
  return requiredParameter(model, 'block_count');
}

/** Added to the variance by norms. */
export function normEpsilon(model: ModelOutline, { norm }: Architecture): number {
  const key = norm === 'rms' ? 'attention.layer_norm_rms_epsilon' : 'attention.layer_norm_epsilon';
  return norm === 'none' ? 0 : requiredParameter(model, key);
}

/**
 * Reads what block `index` needs from the model's keys.
 *
 * @param length - Tokens of a text: decides between the two sets of longrope factors.
 * @throws PithError `corrupt` when a key is missing or the heads do not fit the tensors.
 */
export function blockPlan(
  model: ModelOutline,
  architecture: Architecture,
  index: number,
  length: number,
): BlockPlan {
  const width = requiredParameter(model, 'embedding_length');
  const heads =
    layerParameter(model, 'attention.head_count', index) ??
    requiredParameter(model, 'attention.head_count');
  const kvHeads = layerParameter(model, 'attention.head_count_kv', index) ?? heads;
  const headWidth = hyperParameter(model, 'attention.key_length') ?? width / heads;
  const valueWidth = hyperParameter(model, 'attention.value_length') ?? headWidth;
  demandHeads(model, index, { heads, kvHeads, headWidth, valueWidth });
  const window = windowOf(model, architecture, index);
  return {
    architecture,
    heads,
    kvHeads,
    headWidth,
    valueWidth,
    epsilon: normEpsilon(model, architecture),
    scale: scaleOf(model, architecture, { width, heads, headWidth }),
    softCap: parameter(model, architecture, 'attn_logit_softcapping') || undefined,
    rope: architecture.rope && ropePlan(model, architecture, { headWidth, length, window }),
    window,
    causal: architecture.kind === 'decoder',
    experts: expertsPlan(model, architecture),
  };
}

/** The keys must tell the shape of the query matrix, or of the one that holds all three. */
function demandHeads(
  model: ModelOutline,
  index: number,
  {
    heads,
    kvHeads,
    headWidth,
    valueWidth,
  }: Readonly<Record<'heads' | 'kvHeads' | 'headWidth' | 'valueWidth', number>>,
): void {
  const query = model.tensors.get(`blk.${index}.attn_q.weight`);
  const fused = model.tensors.get(`blk.${index}.attn_qkv.weight`);
  const rows = (heads + (query ? 0 : kvHeads)) * headWidth + (query ? 0 : kvHeads * valueWidth);
  const found = (query ?? fused)?.shape[0];
  if (heads % kvHeads === 0 && (found === undefined || found === rows)) return;
  throw new PithError(
    'corrupt',
    `Block ${index} of this ${model.architecture} model has ${heads} heads and ${kvHeads} key/value heads of width ` +
      `${headWidth}, which make ${rows} rows of queries; there are ${found ?? 'none'}.`,
    'Check the file with pith verify.',
  );
}

function scaleOf(
  model: ModelOutline,
  { widthScaledBlocks }: Architecture,
  { width, heads, headWidth }: { width: number; heads: number; headWidth: number },
): number {
  const stated = hyperParameter(model, 'attention.scale');
  if (stated) return stated;
  const byWidth = widthScaledBlocks === blockCount(model);
  return 1 / Math.sqrt(byWidth ? Math.trunc(width / heads) : headWidth);
}

function windowOf(
  model: ModelOutline,
  architecture: Architecture,
  index: number,
): number | undefined {
  const window = parameter(model, architecture, 'attention.sliding_window');
  if (!window) return undefined;
  if (!Number.isSafeInteger(window) || window < 0) {
    throw new PithError(
      'corrupt',
      `${model.architecture}.attention.sliding_window is ${window}, which is no number of tokens.`,
      'Check the file with pith verify.',
    );
  }
  const pattern = model.metadata.get(`${model.architecture}.attention.sliding_window_pattern`);
  if (pattern?.type === 'array') return pattern.value[index] ? window : undefined;
  const period = pattern ? Number(pattern.value) : architecture.windowPeriod;
  return period && index % period === period - 1 ? undefined : window;
}

function expertsPlan(model: ModelOutline, architecture: Architecture): ExpertsPlan | undefined {
  const count = hyperParameter(model, 'expert_count');
  if (!count) return undefined;
  const stated = model.metadata.get(`${model.architecture}.expert_weights_norm`)?.value;
  return {
    count,
    used: requiredParameter(model, 'expert_used_count'),
    normalized: typeof stated === 'boolean' ? stated : architecture.normalizedExperts === true,
    scale: hyperParameter(model, 'expert_weights_scale') || 1,
  };
}
