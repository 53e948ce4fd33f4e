/**
 * What llama.cpp's own tools make of a model at every size, and how far other files are below it: mean KL
 * divergence to the F16 file by llama-perplexity over bytes, on texts that nothing was calibrated on.
 *
 *   node interop/shrink-envelope.mjs LLAMA_CPP_BIN MODEL TEXT[,TEXT...] CALIBRATION_TEXT OUT_FOLDER
 *     [--recipes presets,uniform,mixed] [--near TEXT] [--candidates FILE.gguf ...] [--chunks 32]
 *     [--threads 1]
 *
 * Needs a build (`npm run build`). The F16 file that Pith writes is everybody's input and the base;
 * llama-imatrix reads CALIBRATION_TEXT, and llama-quantize writes every recipe of envelope-recipes.mjs
 * with its statistics. Each file is measured once a text and then deleted; results.json in OUT_FOLDER
 * keeps the numbers, so a run that was stopped goes on, and another call adds texts or candidates
 * (with `--recipes ''` against the files measured so far). `--near TEXT` leaves out what has over 1.1
 * times the envelope's KL divergence on a text measured before.
 *
 * The envelope at a size is the least KL divergence of any file of at most so many bytes. A candidate's
 * change against it is paired: same tokens, standard error over chunks of 512 (running means are printed
 * with five decimals, so a change of files with less than 0.0005 nats a token has a coarse error). The
 * tables of a text go to OUT_FOLDER/TEXT.md and .json, and are printed.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { openFile } from '../dist/storage/index.js';
import { openGguf } from '../dist/formats/gguf/index.js';
import { recipes } from './envelope-recipes.mjs';
import { candidateTable, changeOf, envelopeAt, envelopeOf, envelopeTable } from './envelope.mjs';
import { llamaCpp, pithQuantize } from './llama-cpp.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    near: { type: 'string' },
    recipes: { type: 'string', default: 'presets,uniform' },
    candidates: { type: 'string', multiple: true, default: [] },
    chunks: { type: 'string', default: '32' },
    threads: { type: 'string', default: '1' },
  },
});
const [bin, model, textList, calibration, folder, ...moreCandidates] = positionals;
if (!folder) {
  throw new Error(
    'usage: shrink-envelope.mjs BIN MODEL TEXT[,TEXT...] CALIBRATION_TEXT OUT_FOLDER',
  );
}
const llama = llamaCpp(bin, Number(options.threads));
const texts = textList.split(',').map((path) => ({ path, name: basename(path, '.txt') }));
const [f16, imatrix, scratch, resultsFile] = [
  'F16.gguf',
  'imatrix.gguf',
  'file.gguf',
  'results.json',
].map((name) => join(folder, name));

const product = (shape) => shape.reduce((all, one) => all * one, 1);
const digest = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Runs `write(path)` for a file that is not there yet; a run that is stopped leaves no half file. */
async function once(path, write) {
  if (existsSync(path)) return;
  console.error(basename(path));
  const part = join(folder, `part-${basename(path)}`);
  await write(part);
  renameSync(part, path);
}

/** The results so far, refused when they are of another model, text, calibration or number of chunks. */
function readResults() {
  const made = {
    model: digest(f16),
    calibration: digest(calibration),
    chunks: options.chunks,
    ...Object.fromEntries(texts.map(({ path, name }) => [`text ${name}`, digest(path)])),
  };
  if (!existsSync(resultsFile)) return { made, files: {} };
  const { made: before, files } = JSON.parse(readFileSync(resultsFile, 'utf8'));
  const changed = Object.keys(made).filter((key) => before[key] && before[key] !== made[key]);
  if (changed.length > 0) {
    throw new Error(
      `${resultsFile} was made with another ${changed.join(', ')}: take a new folder`,
    );
  }
  return { made: { ...before, ...made }, files };
}

function save(results) {
  writeFileSync(`${resultsFile}.part`, `${JSON.stringify(results, null, 1)}\n`);
  renameSync(`${resultsFile}.part`, resultsFile);
}

/** Measures a file on the texts that its `entry` lacks; `prepare` is called first if there is one. */
async function measure(results, key, path, prepare) {
  const known = results.files[key];
  if (known?.failed) return;
  const missing = texts.filter(({ name }) => known?.texts[name] === undefined);
  if (missing.length === 0) return;
  await prepare?.();
  const entry = known ?? { bytes: statSync(path).size, texts: {} };
  for (const { name } of missing) {
    entry.texts[name] = await llama.divergence(path, join(folder, `${name}.kld`));
    console.error(`${key}: ${entry.bytes} bytes, KL ${entry.texts[name].kl.value} on ${name}`);
  }
  results.files[key] = entry;
  save(results);
}

async function measureRecipe(results, { name, type, options }) {
  try {
    await measure(results, name, scratch, () =>
      llama.quantize(f16, type, scratch, '--imatrix', imatrix, ...options),
    );
  } catch (error) {
    results.files[name] = { failed: String(error.message).trim().split('\n').at(-1) };
    console.error(`${name}: ${results.files[name].failed}`);
    save(results);
  } finally {
    rmSync(scratch, { force: true });
  }
}

/** What is known on a text; bits a weight are without the header, taken as large as that of the F16 file. */
function rowsOf(results, text) {
  return Object.entries(results.files)
    .filter(([, file]) => file.texts?.[text] !== undefined)
    .map(([name, file]) => ({
      name,
      bytes: file.bytes,
      bits: (8 * (file.bytes - header.dataOffset)) / weights,
      ...file.texts[text],
    }));
}

const byLlama = ({ name }) => !name.startsWith('sha256:');

/** The names of the files with at most 1.1 times the envelope's KL on a text. */
function namesNear(results, text) {
  const rows = rowsOf(results, text).filter(byLlama);
  const envelope = envelopeOf(rows);
  const near = rows.filter(
    ({ bytes, kl }) => kl.value <= 1.1 * envelopeAt(envelope, bytes).kl.value,
  );
  return new Set(near.map(({ name }) => name));
}

/** The tables of one text: the envelope of the files that llama-quantize wrote, and the candidates. */
function report(results, text, candidates) {
  const rows = rowsOf(results, text);
  const theirs = rows.filter(byLlama);
  const envelope = envelopeOf(theirs);
  const compared = candidates.map(({ path, key }) => {
    const candidate = { ...rows.find(({ name }) => name === key), name: basename(path) };
    const best = envelopeAt(envelope, candidate.bytes);
    return { candidate, best, change: best && changeOf(candidate, best) };
  });
  const failed = Object.keys(results.files).filter((name) => results.files[name].failed);
  const markdown = [
    `${theirs.length} files of llama-quantize on ${text} (failed: ${failed.join('; ') || 'none'}); the lower envelope:`,
    envelopeTable(envelope),
    ...(compared.length > 0 ? [candidateTable(compared)] : []),
  ].join('\n\n');
  writeFileSync(join(folder, `${text}.md`), `${markdown}\n`);
  const json = { text, made: results.made, envelope, candidates: compared, files: rows };
  writeFileSync(join(folder, `${text}.json`), `${JSON.stringify(json, null, 1)}\n`);
  console.log(`${markdown}\n`);
}

mkdirSync(folder, { recursive: true });
await once(f16, (path) => pithQuantize(model, 'F16', path));
const results = readResults();
await once(imatrix, (path) => llama.imatrix(f16, calibration, path));
for (const { path, name } of texts) {
  await once(join(folder, `${name}.kld`), (base) =>
    llama.saveBase(f16, path, base, '--chunks', options.chunks),
  );
}
const header = await openGguf(await openFile(f16));
await header.close();
const tied = !header.tensors.has('output.weight');
const weights = [...header.tensors.values()].reduce((sum, { shape }) => sum + product(shape), 0);
const near = options.near && namesNear(results, options.near);
for (const recipe of recipes(options.recipes.split(',').filter(Boolean), tied)) {
  if (!near || near.has(recipe.name)) await measureRecipe(results, recipe);
}
const candidates = [...options.candidates, ...moreCandidates].map((path) => ({
  path,
  key: `sha256:${digest(path)}`,
}));
for (const { path, key } of candidates) await measure(results, key, path);
for (const { name } of texts) report(results, name, candidates);
