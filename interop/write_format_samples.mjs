/**
 * Writes files with Pith's built writers, for check_format_samples.py to read with the reference readers.
 *
 * Run: npm run build && node interop/write_format_samples.mjs OUT
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openGguf } from '../dist/formats/gguf/open.js';
import { planGguf } from '../dist/formats/gguf/plan.js';
import { planGgufSplits } from '../dist/formats/gguf/plan-splits.js';
import { splitFileName } from '../dist/formats/gguf/split.js';
import { writeGguf } from '../dist/formats/gguf/write.js';
import { openSafetensors } from '../dist/formats/safetensors/open.js';
import { planSafetensors, writeSafetensors } from '../dist/formats/safetensors/write.js';
import { openFile } from '../dist/storage/file-source.js';
import { openOutput } from '../dist/storage/output-file.js';
import { rowsOf } from '../dist/tensor/tensor.js';

const root = resolve(import.meta.dirname, '..');
const out = process.argv[2];
mkdirSync(out, { recursive: true });

async function write(name, plan, writer, tensors) {
  const { totalBytes } = plan;
  const output = await openOutput(join(out, name), { planHash: name, totalBytes, force: true });
  await writer(plan, output, async function* ({ name }) {
    const tensor = tensors.get(name);
    yield tensor.read(0, rowsOf(tensor.shape));
  });
  await output.finish();
}

for (const name of ['every-type', 'alignment-64']) {
  const file = await openGguf(await openFile(join(root, `test/golden/formats/${name}.gguf`)));
  const infos = [...file.tensors.values()];
  await write(`${name}.gguf`, planGguf(file.metadata, infos), writeGguf, file.tensors);
  const parts = planGgufSplits(file.metadata, infos, 256);
  for (const [i, part] of parts.entries()) {
    const partName = splitFileName(`split-${name}`, i, parts.length);
    await write(partName, part, writeGguf, file.tensors);
  }
  await file.close();
}
for (const path of [
  'test/golden/formats/every-dtype.safetensors',
  'models/sample/model.safetensors',
]) {
  const file = await openSafetensors(await openFile(join(root, path)));
  const plan = planSafetensors([...file.tensors.values()], file.metadata);
  await write(path.split('/').at(-1), plan, writeSafetensors, file.tensors);
  await file.close();
}
const long = new Map([
  ['tokens', { type: 'array', items: 'string', value: ['a', '\udcff\udc80'] }],
]);
writeFileSync(join(out, 'raw-bytes.gguf'), planGguf(long, []).header);
