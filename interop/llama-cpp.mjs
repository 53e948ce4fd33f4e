/** llama.cpp's command-line tools and `pith quantize`, for the scripts that measure one against the other. */
import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const pith = resolve(import.meta.dirname, '../dist/cli/index.js');
const maxBuffer = 2 ** 28;
const context = ['--ctx-size', '512'];

async function run(command, args) {
  const { stdout, stderr } = await promisify(execFile)(command, args, { maxBuffer });
  return stdout + stderr;
}

/** Writes `source` as a GGUF file of a type that `pith quantize` knows; needs a build. */
export async function pithQuantize(source, type, out, ...options) {
  const args = ['quantize', source, '--type', type, '-o', out, '--force', '--no-verify'];
  await run(process.execPath, [pith, ...args, ...options]);
}

const chunkLine =
  /^ *\d+ +[\d.]+ ± +[\d.]+ +-?[\d.]+ ± +[\d.]+ +(-?[\d.]+) ± +([\d.]+) +[\d.]+ ± +[\d.]+ % +([\d.]+) ± +([\d.]+) %$/gm;

/**
 * The numbers that llama-perplexity prints: mean KL divergence in nats a token and how often both have
 * the same likeliest token, in per cent, each with the standard error over tokens that it prints; and the
 * mean KL divergence up to and with each chunk (five decimals).
 *
 * It does not wait for its log when it exits, so on a busy machine the last lines are often lost. The
 * line of the last chunk holds the same means with fewer decimals; undefined where that is lost too.
 */
function parseStatistics(out) {
  const chunks = [...out.matchAll(chunkLine)].map((match) => match.slice(1).map(Number));
  if (chunks.length !== Number(/computing over (\d+) chunks/.exec(out)?.[1])) return undefined;
  const [kl, klError, same, sameError] = chunks.at(-1);
  const numbers = (label, value, error) => {
    const match = new RegExp(`${label}: *([-\\d.]+) ± *([\\d.]+)`).exec(out);
    return match ? { value: Number(match[1]), error: Number(match[2]) } : { value, error };
  };
  return {
    kl: numbers('Mean +KLD', kl, klError),
    same: numbers('Same top p', same, sameError),
    runningKl: chunks.map(([mean]) => mean),
  };
}

/** The tools in the folder `bin`, on so many threads; contexts of 512 tokens. */
export function llamaCpp(bin, threads = 1) {
  const onThreads = ['--threads', String(threads)];
  const tool = (name, ...args) => run(join(bin, name), args);
  const perplexity = (...args) => tool('llama-perplexity', ...args, ...context, ...onThreads);
  return {
    imatrix: (model, text, out) =>
      tool('llama-imatrix', '-m', model, '-f', text, '-o', out, ...context, ...onThreads),

    quantize: (model, type, out, ...options) =>
      tool('llama-quantize', ...options, model, out, type, String(threads)),

    /** Writes the distributions of `model` on a text, the base that other files are held against. */
    saveBase: (model, text, out, ...options) =>
      perplexity('-m', model, '-f', text, '--kl-divergence-base', out, ...options),

    /** What `model` loses against a base. */
    async divergence(model, base) {
      for (let attempt = 1; attempt <= 3; attempt++) {
        const out = await perplexity('-m', model, '--kl-divergence-base', base, '--kl-divergence');
        const statistics = parseStatistics(out);
        if (statistics) return statistics;
      }
      throw new Error(`llama-perplexity printed no statistics for ${model}, three times`);
    },
  };
}
