import type { Random } from '../../util/random.ts';
import type { TensorUse } from './uses.ts';

/** Rows that stand for all rows of a tensor. */
export interface RowSample {
  /** Ascending. */
  readonly rows: readonly number[];
  /** How often each counts, so that sums over the sample have the sums over all rows as their expectation. */
  readonly weights: readonly number[];
}

/**
 * Draws rows as often as they matter: a row's chance is what it would cost if all weights changed alike.
 *
 * Equal steps through the running sum of costs from a drawn start, so that the rows of a small cost are skipped
 * and those of a large one are never missed. All rows when there are no more than `count`.
 *
 * @see Madow 1949, doi:10.1214/aoms/1177729988: systematic sampling with chances in proportion to size.
 */
export function sampleRows(uses: readonly TensorUse[], count: number, random: Random): RowSample {
  const sizes = rowCosts(uses);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (sizes.length <= count || total === 0) {
    const rows = [...sizes.keys()].slice(0, count);
    return { rows, weights: rows.map(() => 1) };
  }
  const step = total / count;
  const rows: number[] = [];
  const weights: number[] = [];
  let next = random.uniform() * step;
  let sum = 0;
  for (const [row, size] of sizes.entries()) {
    sum += size;
    let hits = 0;
    for (; next < sum; next += step) hits++;
    if (hits === 0) continue;
    rows.push(row);
    weights.push((hits * step) / size);
  }
  return { rows, weights };
}

/** What each row costs if all its weights change by √2. */
function rowCosts(uses: readonly TensorUse[]): Float64Array {
  const costs = new Float64Array(uses[0]!.rows.length);
  for (const { experts, rows, columns } of uses) {
    const width = columns.length / experts;
    const sums = Array.from({ length: experts }, (_, expert) =>
      columns.subarray(expert * width, (expert + 1) * width).reduce((sum, one) => sum + one, 0),
    );
    const each = rows.length / experts;
    for (const [row, weight] of rows.entries())
      costs[row]! += weight * sums[Math.floor(row / each)]!;
  }
  return costs;
}
