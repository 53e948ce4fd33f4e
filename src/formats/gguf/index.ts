/**
 * GGUF: read version 2 and 3, whole or split; lay out and stream version 3.
 *
 * @module
 */
export { meta, metadataTypes } from './metadata.ts';
export type { Metadata, MetadataArray, MetadataType, MetadataValue } from './metadata.ts';
export { openGguf, type GgufFile } from './open.ts';
export { planGguf, type GgufPlan, type GgufTensorInfo, type PlannedTensor } from './plan.ts';
export { planGgufSplits } from './plan-splits.ts';
export { openSplitGguf, splitFileName, type SplitGguf } from './split.ts';
export { writeGguf, type CheckpointSink } from './write.ts';
