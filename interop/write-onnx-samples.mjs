/**
 * Reads the files of test/golden/onnx with Pith and writes them again, in one file and in two, for
 * check-onnx-samples.py to read with onnx.
 *
 * Run: npm run build && node interop/write-onnx-samples.mjs OUT
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { planOnnx, readOnnx, streamOnnx } from '../dist/formats/onnx/index.js';
import { openFile } from '../dist/storage/file-source.js';
import { openOutput } from '../dist/storage/output-file.js';

const goldens = resolve(import.meta.dirname, '../test/golden/onnx');
const out = process.argv[2];
mkdirSync(out, { recursive: true });

async function write(name, plan) {
  const { totalBytes } = plan;
  const output = await openOutput(join(out, name), { planHash: name, totalBytes, force: true });
  await streamOnnx(plan, output);
  await output.finish();
}

for (const name of ['every', 'external']) {
  const open = (location) => openFile(join(goldens, location));
  const model = await readOnnx(await open(`${name}.onnx`), open);
  await write(`${name}.onnx`, (await planOnnx(model)).model);
  const location = `${name}-outside.data`;
  const outside = await planOnnx(model, { inlineLimitBytes: 0, location });
  await write(`${name}-outside.onnx`, outside.model);
  if (outside.weights) await write(location, outside.weights);
  await model.close();
}
