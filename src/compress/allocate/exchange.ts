import type { EfficientGroup, Places } from './efficient.ts';

/** Another choice for one group, and the difference it makes. */
export interface Move {
  readonly group: number;
  /** Place of the choice. */
  readonly to: number;
  readonly bytes: number;
  readonly cost: number;
}

/** Every move of one group from `places`. */
export function movesFrom(groups: readonly EfficientGroup[], places: Places): Move[] {
  return groups.flatMap(({ choices }, group) => {
    const now = choices[places[group]!]!;
    return choices.flatMap((choice, to): Move[] =>
      choice === now
        ? []
        : [{ group, to, bytes: choice.bytes - now.bytes, cost: choice.cost - now.cost }],
    );
  });
}

/**
 * Those that can be part of an exchange that helps, when a byte is worth `price`.
 *
 * What a move loses at that price, cost + price · bytes, must be made up by the bytes that are free, or by what its
 * partner wins at that price: on the Lagrangian hull no move wins, and few lose so little.
 */
export function promising(moves: readonly Move[], room: number, price: number): Move[] {
  const loss = ({ cost, bytes }: Move) => cost + price * bytes;
  const least = moves.reduce((sofar, move) => Math.min(sofar, loss(move)), 0);
  return moves.filter((move) => loss(move) + least < price * room);
}

/**
 * The move, or the two moves of different groups, that take at most `room` bytes more and lower the cost most;
 * none when nothing lowers it by more than `least`.
 *
 * @remarks O(m log m) for m moves: for each move the best partner among those that still fit.
 */
export function bestExchange(moves: readonly Move[], room: number, least: number): Move[] {
  const byBytes = moves.toSorted((a, b) => a.bytes - b.bytes);
  const partners = cheapestUpTo(byBytes);
  let best: Move[] = [];
  let bestCost = -least;
  const consider = (...exchange: Move[]): void => {
    const cost = exchange.reduce((sum, move) => sum + move.cost, 0);
    if (cost >= bestCost) return;
    best = exchange;
    bestCost = cost;
  };
  for (const move of byBytes) {
    if (move.bytes <= room) consider(move);
    const { first, second } = partners[countUpTo(byBytes, room - move.bytes)]!;
    const partner = first?.group === move.group ? second : first;
    if (partner) consider(move, partner);
  }
  return best;
}

/** The cheapest move, and the cheapest of another group. */
interface Partners {
  readonly first?: Move;
  readonly second?: Move;
}

/** Those among the first n moves, for n from 0. */
function cheapestUpTo(moves: readonly Move[]): Partners[] {
  const found: Partners[] = [{}];
  for (const move of moves) {
    const { first, second } = found.at(-1)!;
    found.push(withMove(move, first, second));
  }
  return found;
}

function withMove(move: Move, first: Move | undefined, second: Move | undefined): Partners {
  if (!first) return { first: move };
  const others = second ? { first, second } : { first };
  if (move.group === first.group)
    return move.cost < first.cost ? { ...others, first: move } : others;
  if (move.cost < first.cost) return { first: move, second: first };
  return !second || move.cost < second.cost ? { first, second: move } : others;
}

/** How many of these moves, sorted by bytes, take at most `bytes`. */
function countUpTo(moves: readonly Move[], bytes: number): number {
  let low = 0;
  let high = moves.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moves[middle]!.bytes <= bytes) low = middle + 1;
    else high = middle;
  }
  return low;
}
