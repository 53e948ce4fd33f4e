/**
 * Rounding errors that other weights make up for: how they are coupled, and what that gains on other text.
 *
 * @module
 */
export { coupledCosts, type CoupledCostOptions } from './coupled-costs.ts';
export { Couplings, type CouplingOptions, type CouplingRemark } from './couplings.ts';
export { heldOutCosts, type HeldOutCosts, type HeldOutOptions } from './held-out.ts';
export type { RowChoiceOptions } from './row-choice.ts';
