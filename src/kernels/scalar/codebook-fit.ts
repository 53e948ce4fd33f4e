import type { FitBlock } from './fit-block.ts';
import { listed, type CodebookLists } from './codebook-lists.ts';
import { roundSmall, type Sums } from './symmetric-fit.ts';

const f = Math.fround;

/** How a block type uses a codebook. */
export interface CodebookShape {
  readonly lists: CodebookLists;
  /** Only seven of eight signs are stored: the number of negative weights among eight is even. */
  readonly evenSigns: boolean;
  /** A sub-block's scale is d · share · (2s + 1), s being its sub-scale in 0 … 15. */
  readonly share: number;
  /** Entries looked at for each scale tried. */
  readonly tried: number;
  /**
   * What the fitted d is multiplied with: least squares shrinks all weights a little, the same way
   * in every layer, which costs the model more than the errors that it saves.
   */
  readonly stretch: number;
}

/** An entry for one group of weights. */
interface Candidate extends Sums {
  readonly entry: number;
  /** How much error the entry avoids, over twice the scale: Σ w·x·q − scale/2 · Σ w·q². */
  readonly score: number;
}

/** The best entry of a group, and the best one if the sign of one of its weights has to be wrong. */
interface GroupChoice {
  readonly plain: Candidate;
  readonly flipped: Candidate;
}

/** The entries of a sub-block at a scale, and their sums. */
export interface Choice extends Sums {
  readonly entries: readonly number[];
}

/** Weights `first` … `first + count − 1` of a block and the scale that they are divided by. */
export interface ScaledRange {
  readonly block: FitBlock;
  readonly first: number;
  readonly count: number;
  readonly scale: number;
}

const none: Candidate = { entry: 0, score: -Infinity, wxl: 0, wll: 0 };

/**
 * Chooses the entry of every group among the first `count` that its cell lists; the error of those is
 * exact, importance and signs included.
 *
 * Where the signs are odd in number, one weight gets the wrong sign, which costs 2·scale·2·w·|x|·q:
 * the entry is chosen together with the weight for which that is least.
 */
export function chooseEntries(range: ScaledRange, shape: CodebookShape, count: number): Choice {
  const { width } = shape.lists;
  const inverse = range.scale > 0 ? f(1 / range.scale) : 0;
  const entries: number[] = [];
  let wxl = 0;
  let wll = 0;
  for (let octet = range.first; octet < range.first + range.count; octet += 8) {
    const groups: GroupChoice[] = [];
    for (let at = octet; at < octet + 8; at += width)
      groups.push(chooseGroup({ ...range, first: at, count: width }, inverse, shape, count));
    const flippedGroup = shape.evenSigns && isOdd(range.block, octet) ? cheapestFlip(groups) : -1;
    groups.forEach(({ plain, flipped }, i) => {
      const chosen = i === flippedGroup ? flipped : plain;
      entries.push(chosen.entry);
      wxl = f(wxl + chosen.wxl);
      wll = f(wll + chosen.wll);
    });
  }
  return { entries, wxl, wll };
}

function chooseGroup(
  range: ScaledRange,
  inverse: number,
  { lists }: CodebookShape,
  count: number,
): GroupChoice {
  const listAt = cellOf(range, f(inverse * f(1 / lists.step)), lists) * listed;
  const half = f(range.scale * 0.5);
  let plain = none;
  let flipped = none;
  for (let k = 0; k < count; k++) {
    const entry = lists.nearest[listAt + k]!;
    const { wxl, wll, least } = sumsOf(range, lists.entries, entry);
    const penalty = f(half * wll);
    const score = f(wxl - penalty);
    if (score > plain.score) plain = { entry, score, wxl, wll };
    const wrong = f(wxl - f(least + least));
    const wrongScore = f(wrong - penalty);
    if (wrongScore > flipped.score) flipped = { entry, score: wrongScore, wxl: wrong, wll };
  }
  return { plain, flipped };
}

/** Σ w·|x|·q and Σ w·q² of a group for an entry, and the least w·|x|·q. */
function sumsOf(range: ScaledRange, entries: Int8Array, entry: number) {
  const { values, weights } = range.block;
  let wxl = 0;
  let wll = 0;
  let least = Infinity;
  for (let i = 0; i < range.count; i++) {
    const level = entries[entry * range.count + i]!;
    const weighted = f(weights[range.first + i]! * level);
    const product = f(weighted * Math.abs(values[range.first + i]!));
    wxl = f(wxl + product);
    wll = f(wll + f(weighted * level));
    least = Math.min(least, product);
  }
  return { wxl, wll, least };
}

/** The cell of a group whose magnitudes times `inverseStep` are in steps of the codebook. */
function cellOf({ block, first }: ScaledRange, inverseStep: number, lists: CodebookLists): number {
  let cell = 0;
  for (let i = lists.width - 1; i >= 0; i--) {
    const steps = f(f(Math.abs(block.values[first + i]!) * inverseStep) - lists.offset);
    cell = cell * lists.levels + roundSmall(Math.min(Math.max(steps, 0), lists.levels - 1));
  }
  return cell;
}

/** Whether the number of negative weights among eight is odd. */
export function isOdd(block: FitBlock, first: number): boolean {
  let odd = false;
  for (let i = first; i < first + 8; i++) if (block.values[i]! < 0) odd = !odd;
  return odd;
}

function cheapestFlip(groups: readonly GroupChoice[]): number {
  const gains = groups.map(({ plain, flipped }) => f(flipped.score - plain.score));
  return gains.length > 1 && gains[1]! > gains[0]! ? 1 : 0;
}
