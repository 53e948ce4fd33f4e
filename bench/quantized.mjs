/** Q4_K_M files that benchmarks run, made once, in .cache/bench. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, cachedModel } from './make-model.mjs';
import { measureProcess, pith } from './process.mjs';

function quantized(model, path) {
  const args = ['quantize', model, '--type', 'Q4_K_M', '--no-verify', '-o', path];
  if (!existsSync(path)) measureProcess(process.execPath, [pith, ...args]);
  return path;
}

/** The model in the box. */
export function quantizedSample() {
  return quantized('sample', join(cacheFolder(), 'sample-q4_k_m.gguf'));
}

/** The generated model of 1.1 B parameters. */
export function quantizedGenerated() {
  const model = cachedModel();
  return quantized(model, join(dirname(model), 'generated-q4_k_m.gguf'));
}
