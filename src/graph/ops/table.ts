import type { Op } from '../signatures.ts';
import { arithmetic } from './arithmetic.ts';
import { constant } from './constant.ts';
import { functions } from './functions.ts';
import { indexing } from './indexing.ts';
import { layout } from './layout.ts';
import { linear } from './linear.ts';
import { logic } from './logic.ts';
import { reduction } from './reduction.ts';
import type { Rows } from './rows.ts';

/** One row for every operator: shape rule, ONNX form, gradient. */
export const ops: Rows<Op> = {
  ...constant,
  ...arithmetic,
  ...functions,
  ...logic,
  ...linear,
  ...layout,
  ...indexing,
  ...reduction,
};
