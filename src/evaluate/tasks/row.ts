import { PithError } from '../../util/errors.ts';

/** One row of a data file. */
export interface Row {
  readonly values: Readonly<Record<string, unknown>>;
  /** `file:line` of its start. */
  readonly where: string;
  /** Which of the data files it is from, as `where` calls it. */
  readonly file: string;
}

/** A bad place of a data file. */
export function badRow(where: string, problem: string, hint: string): PithError {
  return new PithError('corrupt', `${where}: ${problem}.`, hint);
}
