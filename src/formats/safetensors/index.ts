/**
 * safetensors: read one file or shards with their index; lay out and stream one file.
 *
 * @module
 */
export { openSafetensors, type SafetensorsFile } from './open.ts';
export { openShardedSafetensors } from './sharded.ts';
export { planSafetensors, writeSafetensors } from './write.ts';
