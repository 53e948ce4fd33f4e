import { subtractProducts, type SubtractProducts } from '../linear-algebra/products.ts';
import { blockCoder, type BlockCoder } from './block-coder.ts';
import type { Grid } from './grid.ts';

/** What error feedback spends its time on; every implementation gives the same bits. */
export interface FeedbackMath {
  /** The coder of a block type; one at a time is in use. */
  readonly blockCoder: (grid: Grid) => BlockCoder;
  readonly subtractProducts: SubtractProducts;
}

/** The readable reference. */
export const scalarFeedback: FeedbackMath = { blockCoder, subtractProducts };
