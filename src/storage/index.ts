/**
 * The disk and network edge: byte sources over files and HTTP ranges, crash-safe outputs.
 *
 * @module
 */
export { openFile } from './file-source.ts';
export { openUrl, type HttpOptions } from './http-source.ts';
export { openOutput, type OutputPlan } from './output-file.ts';
export type { Output } from './output-writer.ts';
export { writeAtomic } from './write-atomic.ts';
