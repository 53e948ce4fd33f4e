/**
 * AWQ: scales moved from activations into weights, so that rounding costs less where inputs are large.
 *
 * @module
 */
export { foldEvidence } from './fold-evidence.ts';
export { foldModel, type FoldScales } from './fold.ts';
export { foldGroups, type FoldGroup } from './groups.ts';
export {
  foldableScales,
  searchScales,
  type GroupScales,
  type ScaleSearchOptions,
} from './search.ts';
