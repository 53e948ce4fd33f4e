/**
 * Writes test/golden/llama-perplexity-sample.json: ln P of every scored token of a story by
 * llama-perplexity (llama.cpp v0.5.0), for two files that Pith makes of the model in the box.
 *
 *   node interop/llama-perplexity-sample.mjs LLAMA_CPP_BIN
 *
 * `--kl-divergence-base` keeps the distributions in 16 bits over at most 16 nats: what it wrote is
 * within `tolerance` of what it computed, and null for tokens less likely than that.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const bin = process.argv[2];
if (!bin) throw new Error('usage: llama-perplexity-sample.mjs LLAMA_CPP_BIN');
const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'pith-sample-'));
const contextTokens = 128;

/** Reads what `--kl-divergence-base` wrote: a header, the tokens, and a row of u16 a scored token. */
function parse(bytes) {
  const [context, vocabulary, chunks] = [8, 12, 16].map((at) => bytes.readInt32LE(at));
  const first = context / 2 + 1;
  const rowBytes = 2 * (2 * Math.floor((vocabulary + 1) / 2) + 4);
  const windows = Array.from({ length: chunks }, (_, chunk) =>
    Array.from({ length: context }, (_, at) => bytes.readInt32LE(20 + 4 * (chunk * context + at))),
  );
  let row = 20 + 4 * chunks * context;
  const logProbs = windows.map((window) =>
    window.slice(first).map((token) => {
      const [scale, least] = [bytes.readFloatLE(row), bytes.readFloatLE(row + 4)];
      const code = bytes.readUInt16LE(row + 8 + 2 * token);
      row += rowBytes;
      return code === 0 ? null : Number((least + scale * code).toFixed(5));
    }),
  );
  return { first, windows, logProbs };
}

function run(type) {
  const [model, base] = [join(folder, `${type}.gguf`), join(folder, `${type}.base`)];
  const pith = [join(root, 'dist/cli/index.js'), 'quantize', 'sample', '--type', type, '-o', model];
  execFileSync(process.execPath, [...pith, '--no-verify'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const story = join(root, 'test/peer/story.txt');
  const options = ['-m', model, '-f', story, '-c', contextTokens, '--kl-divergence-base', base];
  execFileSync(join(bin, 'llama-perplexity'), options, { stdio: 'ignore' });
  return parse(readFileSync(base));
}

const golden = {
  source: 'llama-perplexity of llama.cpp v0.5.0; interop/llama-perplexity-sample.mjs',
  tolerance: 16 / 65535,
  types: {},
};
for (const type of ['F16', 'Q4_K_M']) {
  const { first, windows, logProbs } = run(type);
  Object.assign(golden, { first, windows });
  golden.types[type] = logProbs;
}
rmSync(folder, { recursive: true });
const file = join(root, 'test/golden/llama-perplexity-sample.json');
writeFileSync(file, `${JSON.stringify(golden)}\n`);
