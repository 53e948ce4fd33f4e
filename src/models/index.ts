/**
 * Models as lazy values, from Hugging Face folders and GGUF files.
 *
 * @module
 */
export type { Model } from './model.ts';
export { locateModel, openModel, type ModelLocation } from './open.ts';
