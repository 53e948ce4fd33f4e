import { PithError } from '../../util/errors.ts';
import type { Evidence, SecondMoments, TensorEvidence } from './evidence.ts';
import { hessianUnit, type HessianShape, type HessianSource } from './hessian.ts';
import { priorTokens } from './moments.ts';

const namesShown = 3;
const layersShown = 8;

/**
 * Tokens that a column of a Hessian's block needs to be of use: at 4, the largest eigenvalue comes out 2.25 times too
 * large and the smallest 4 times too small, by (1 ± √(columns / tokens))².
 *
 * @see Marchenko and Pastur 1967, for columns that do not depend on each other.
 */
const tokensOfColumn = 4;

/** What evidence is thin for, a sentence each. */
export function coverageWarnings({
  tokens,
  tensors,
  hessians,
}: Pick<Evidence, 'tokens' | 'tensors' | 'hessians'>): string[] {
  const all = [...tensors];
  const silent = all.filter(([, { inputs }]) => inputs.counts.every((count) => count === 0));
  const heard = all.filter((one) => !silent.includes(one));
  return [
    ...(hessians ? thinHessians(tokens, hessians) : wideMatrices(tokens, all)),
    ...(silent.length > 0 ? [`No token came through ${listed(silent)}.`] : []),
    ...starvedExperts(heard),
    ...deadColumns(heard),
  ];
}

/**
 * Refuses Hessians that cannot have full rank.
 *
 * @throws PithError `unsupported` with the numbers of the largest block.
 */
export function demandRank(tokens: number, shapes: ReadonlyMap<string, HessianShape>): void {
  const widest = [...shapes].sort(([, a], [, b]) => b.blockSize - a.blockSize)[0];
  if (widest === undefined || widest[1].blockSize <= tokens) return;
  const [name, { blockSize }] = widest;
  throw new PithError(
    'unsupported',
    `${tokens} tokens are too few for Hessians of ${blockSize} columns (${name}), which have full rank from ` +
      `${blockSize} tokens on.`,
    `Give more text (--data, --tokens)${smallerBlocks(tokens)}`,
  );
}

function smallerBlocks(tokens: number): string {
  if (tokens < hessianUnit) return '.';
  const units = Math.max(1, Math.floor(tokens / tokensOfColumn / hessianUnit));
  return `, or measure smaller blocks: pith calibrate --hessian-block ${units * hessianUnit}`;
}

function thinHessians(tokens: number, { shapes }: HessianSource): string[] {
  const thin = [...shapes].filter(([, { blockSize }]) => tokensOfColumn * blockSize > tokens);
  if (thin.length === 0) return [];
  const most = Math.max(...thin.map(([, { blockSize }]) => blockSize));
  return [
    `${tokens} tokens are few for Hessians of ${most} columns (${thin[0]![0]}): give ${tokensOfColumn * most} or more, ` +
      'or expect error feedback to fit noise.',
  ];
}

function wideMatrices(tokens: number, all: readonly Named[]): string[] {
  const wide = all.filter(([, { inputs }]) => inputs.experts === 1 && inputs.size > tokens);
  if (wide.length === 0) return [];
  return [
    `${tokens} tokens are fewer than the input columns of ${listed(wide)}: give more text, or expect ` +
      'error feedback to fit noise.',
  ];
}

type Named = readonly [string, TensorEvidence];

/** The first few with what is said of each. */
function listed(
  tensors: readonly Named[],
  said: (inputs: SecondMoments) => string = ({ size }) => `${size}`,
): string {
  const names = tensors
    .slice(0, namesShown)
    .map(([name, { inputs }]) => `${name} (${said(inputs)})`);
  const more = tensors.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

interface StarvedLayer {
  /** `blk.3`. */
  readonly layer: string;
  readonly experts: number;
  /** Of them, those that saw few tokens, and those that saw none. */
  readonly few: number;
  readonly none: number;
}

function starvedExperts(tensors: readonly Named[]): string[] {
  const layers = starvedLayers(tensors);
  if (layers.length === 0) return [];
  const shown = layers.slice(0, layersShown).map((one) => `${shareOf(one)} in ${one.layer}`);
  const hidden = layers.slice(layersShown);
  const rest =
    hidden.length > 0 ? ` and ${shareOf(total(hidden))} in ${hidden.length} more layers` : '';
  return [
    `Experts that saw fewer than ${priorTokens} tokens: ${shown.join(', ')}${rest}; ` +
      'they are drawn to the mean of their layer.',
  ];
}

/** The stacks of a layer have the same experts: the first that names it tells of all. */
function starvedLayers(tensors: readonly Named[]): StarvedLayer[] {
  const layers = new Map<string, StarvedLayer>();
  for (const [name, { inputs }] of tensors) {
    const layer = name.split('.', 2).join('.');
    if (inputs.experts === 1 || layers.has(layer)) continue;
    const few = inputs.counts.filter((count) => count < priorTokens);
    const none = few.filter((count) => count === 0).length;
    layers.set(layer, { layer, experts: inputs.experts, few: few.length, none });
  }
  return [...layers.values()].filter(({ few }) => few > 0);
}

function shareOf({ experts, few, none }: Omit<StarvedLayer, 'layer'>): string {
  return `${few} of ${experts}${none > 0 ? ` (${none} none)` : ''}`;
}

function total(layers: readonly StarvedLayer[]): Omit<StarvedLayer, 'layer'> {
  const sum = (key: 'experts' | 'few' | 'none') => layers.reduce((all, one) => all + one[key], 0);
  return { experts: sum('experts'), few: sum('few'), none: sum('none') };
}

function deadColumns(tensors: readonly Named[]): string[] {
  const dead = tensors.filter(([, { inputs }]) => inputs.experts === 1 && inputs.sums.includes(0));
  return dead.length > 0 ? [`Some input columns were always 0: ${listed(dead, zerosOf)}.`] : [];
}

function zerosOf({ sums, size }: SecondMoments): string {
  return `${sums.filter((sum) => sum === 0).length} of ${size}`;
}
