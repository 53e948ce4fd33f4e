import { join } from 'node:path';
import { prepareQuantization, quantize } from '../dist/recipes/quantize.js';

/** Writes the model in the box as a GGUF file of a type. */
export async function writeSample(folder: string, type: string): Promise<string> {
  const output = join(folder, `sample-${type.toLowerCase()}.gguf`);
  const prepared = await prepareQuantization({ model: 'sample', type });
  await quantize(prepared, { output, threads: 1, force: true });
  await prepared.model.close();
  return output;
}
