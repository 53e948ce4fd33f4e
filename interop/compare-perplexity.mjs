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
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

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
const threads = ['-t', '1'];
const pith = resolve(import.meta.dirname, '../dist/cli/index.js');
const baseLogits = join(folder, 'base.kld');
const maxBuffer = 2 ** 28;

async function run(command, args) {
  const { stdout, stderr } = await promisify(execFile)(command, args, { maxBuffer });
  return stdout + stderr;
}

const tool = (name, ...args) => run(join(bin, name), args);

async function pithQuantize(source, type, out, ...options) {
  const args = ['quantize', source, '--type', type, '-o', out, '--force', '--no-verify'];
  await run(process.execPath, [pith, ...args, ...options]);
}

/** The statistics at the end of llama-perplexity's output; now and then it exits before printing them. */
async function statistics(path) {
  const base = ['--kl-divergence-base', baseLogits, '--kl-divergence'];
  for (let attempt = 1; attempt <= 3; attempt++) {
    const out = await tool(
      'llama-perplexity',
      '-m',
      path,
      ...base,
      '--ctx-size',
      '512',
      ...threads,
    );
    if (out.includes('Same top p:')) return out;
  }
  throw new Error(`llama-perplexity printed no statistics for ${path}, three times`);
}

/** Mean KL divergence to the base logits, and how often both have the same likeliest token. */
async function measure(path) {
  const out = await statistics(path);
  const numbers = (label) => {
    const match = new RegExp(`${label}: *([-\\d.]+) ± *([\\d.]+)`).exec(out);
    return { value: Number(match[1]), error: Number(match[2]) };
  };
  return { kl: numbers('Mean +KLD'), same: numbers('Same top p') };
}

const shown = ({ value, error }) => `${value.toFixed(6)} ± ${error.toFixed(6)}`;

mkdirSync(folder, { recursive: true });
const f16 = join(folder, 'F16.gguf');
const imatrix = join(folder, 'imatrix.gguf');
await pithQuantize(model, 'F16', f16);
await tool('llama-imatrix', '-m', f16, '-f', calibration, '-o', imatrix, '-c', '512', ...threads);
const scored = ['-f', text, '--ctx-size', '512', ...threads];
await tool('llama-perplexity', '-m', f16, ...scored, '--kl-divergence-base', baseLogits);

console.log('| type | imatrix | KL ours | KL llama-quantize | ratio | same top, ours | theirs |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const type of types) {
  for (const importance of [[], ['--imatrix', imatrix]]) {
    const [ours, theirs] = ['pith', 'llama'].map((name) => join(folder, `${name}-${type}.gguf`));
    await pithQuantize(f16, type, ours, ...importance);
    await tool('llama-quantize', ...importance, f16, theirs, type, '2');
    const [a, b] = await Promise.all([measure(ours), measure(theirs)]);
    const ratio = (a.kl.value / b.kl.value).toFixed(3);
    const cells = [type, importance.length > 0 ? 'yes' : 'no', shown(a.kl), shown(b.kl), ratio];
    console.log(`| ${[...cells, `${a.same.value} %`, `${b.same.value} %`].join(' | ')} |`);
  }
}
