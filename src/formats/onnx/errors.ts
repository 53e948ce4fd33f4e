import { PithError } from '../../util/errors.ts';

/** A file that contradicts itself or the format; `problem` is said of `name`. */
export function corrupt(name: string, problem: string, cause?: unknown): PithError {
  const hint = 'The file is damaged or was written by a faulty program: export the model again.';
  return new PithError('corrupt', `${name}: ${problem}.`, hint, { cause });
}

/** A valid file that holds what Pith does not read. */
export function unsupported(name: string, problem: string, hint: string): PithError {
  return new PithError('unsupported', `${name}: ${problem}.`, hint);
}
