import type { Figure } from '../../evaluate/figure.ts';

/** Those figures whose intervals have both ends, without verdicts, which follow from the intervals. */
export function bounded<Name extends string>(
  figures: Readonly<Partial<Record<Name, Figure | undefined>>>,
): Partial<Record<Name, Figure>> {
  const kept: Partial<Record<Name, Figure>> = {};
  for (const [name, figure] of Object.entries(figures) as [Name, Figure | undefined][]) {
    if (figure === undefined || !isBounded(figure)) continue;
    const { value, low, high } = figure;
    kept[name] = { value, low, high };
  }
  return kept;
}

/** Whether a figure's interval has both ends. */
export function isBounded({ value, low, high }: Figure): boolean {
  return [value, low, high].every(Number.isFinite);
}
