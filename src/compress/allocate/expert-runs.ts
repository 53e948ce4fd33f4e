/** Neighbours among some rows that are of one expert's matrix. */
export interface ExpertRun {
  readonly expert: number;
  /** Among the rows at hand. */
  readonly first: number;
  readonly count: number;
}

/**
 * Cuts rows of a stack, ascending, where another expert's begin; one run for a matrix that is no stack.
 *
 * @param rowsEach - Of one expert.
 */
export function expertRuns(rows: readonly number[], rowsEach: number): ExpertRun[] {
  const runs: ExpertRun[] = [];
  for (const [at, row] of rows.entries()) {
    const expert = Math.floor(row / rowsEach);
    const last = runs.at(-1);
    if (last?.expert === expert) runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else runs.push({ expert, first: at, count: 1 });
  }
  return runs;
}
