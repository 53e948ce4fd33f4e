/**
 * Compares the files of `pith quantize` and `llama-quantize` on a text: mean KL divergence to the F16
 * file in nats a token, each with its standard error, without an importance matrix and with one.
 *
 *   node interop/compare-perplexity.mjs LLAMA_CPP_BIN MODEL TEXT CALIBRATION_TEXT OUT_FOLDER [TYPES]
 *
 * Needs a build (`npm run build`) and llama.cpp's llama-quantize, llama-imatrix and llama-perplexity.
 * MODEL is whatever `pith quantize` takes; the F16 file that Pith writes is both tools' input and the
 * base. TYPES are separated by commas. Prints a Markdown table. Calibrate on one text, score on another.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { llamaCpp, pithQuantize } from './llama-cpp.mjs';

const [bin, model, text, calibration, folder, typeList] = process.argv.slice(2);
if (!folder) {
  throw new Error(
    'usage: compare-perplexity.mjs BIN MODEL TEXT CALIBRATION_TEXT OUT_FOLDER [TYPES]',
  );
}
const types = (typeList ?? 'Q8_0,Q6_K,Q5_K_M,Q4_K_M,Q4_K_S,IQ4_XS,Q4_0,Q3_K_M,Q3_K_S,Q2_K').split(
  ',',
);
/** One thread each, because ours and theirs are measured side by side. */
const llama = llamaCpp(bin);

const shown = ({ value, error }) => `${value.toFixed(6)} ± ${error.toFixed(6)}`;

mkdirSync(folder, { recursive: true });
const [f16, imatrix, base] = ['F16.gguf', 'imatrix.gguf', 'base.kld'].map((name) =>
  join(folder, name),
);
await pithQuantize(model, 'F16', f16);
await llama.imatrix(f16, calibration, imatrix);
await llama.saveBase(f16, text, base);

console.log('| type | imatrix | KL ours | KL llama-quantize | ratio | same top, ours | theirs |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const type of types) {
  for (const importance of [[], ['--imatrix', imatrix]]) {
    const [ours, theirs] = ['pith', 'llama'].map((name) => join(folder, `${name}-${type}.gguf`));
    await pithQuantize(f16, type, ours, ...importance);
    await llama.quantize(f16, type, theirs, ...importance);
    const [a, b] = await Promise.all([ours, theirs].map((path) => llama.divergence(path, base)));
    const ratio = (a.kl.value / b.kl.value).toFixed(3);
    const cells = [type, importance.length > 0 ? 'yes' : 'no', shown(a.kl), shown(b.kl), ratio];
    console.log(`| ${[...cells, `${a.same.value} %`, `${b.same.value} %`].join(' | ')} |`);
  }
}
