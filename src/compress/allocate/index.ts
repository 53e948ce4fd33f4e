/**
 * Which storage type each tensor gets, so that the file fits and least is lost.
 *
 * @module
 */
export { activationNoise, type NoiseOfType, type NoiseOptions } from './activation-noise.ts';
export { allocate } from './allocate.ts';
export type { Allocation, Choice, ChoiceGroup } from './choice.ts';
export { frontier } from './frontier.ts';
export { tensorTypeLines } from './tensor-type-lines.ts';
export { predictCosts, type CostOptions, type TypeCost } from './costs.ts';
export type { Rounder, RowsToRound } from './rounder.ts';
export {
  calibrateCosts,
  type CalibratedCosts,
  type CalibrationOptions,
  type MeasuredTypes,
  type Probe,
  type TensorTypes,
} from './calibrate-costs.ts';
export { costClasses, type CostClass } from './cost-class.ts';
export { choiceGroups, type GroupOf, type TensorCosts } from './groups.ts';
export { refineAllocation, type Refined, type RefineOptions } from './refine.ts';
export { columnImportance, usesOf, type TensorUse } from './uses.ts';
