/**
 * What a model is worth, and what compression cost it, with 95 % intervals.
 *
 * @module
 */
export { bootstrap, type BootstrapOptions, type Statistics } from './bootstrap.ts';
export type { Figure } from './figure.ts';
export { clustersOf, groupTokens, type Grouping } from './grouping.ts';
export { clusteredMean, effectiveClusters, mapFigure, type Cluster } from './interval.ts';
export { judged, pairedDifference, type PairedDifference } from './paired.ts';
export { proportion } from './proportion.ts';
export { clusteredQuantiles } from './quantiles.ts';
export type { ScoreOptions, TokenScorer, TokenWindow, WindowScores } from './scorer.ts';
