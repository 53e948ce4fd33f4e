import type { Figure } from '../figure.ts';
import type { Candidate, ReportData } from './report-data.ts';

/** A figure with a symmetric interval. */
export function figure(value: number, half: number): Figure {
  return { value, low: value - half, high: value + half };
}

const opening =
  ' named Lily . She liked to play in the park with her red ball . One day , the ball';
const originalEnd =
  ' rolled down the hill and into the pond . Lily was very sad . A big frog jumped out of the water .';
const words = (text: string) => text.match(/ \S+/g)!;

/** KL divergences spread like a bell over the logarithm, around `center` nats. */
function histogram(center: number): Candidate['klHistogram'] {
  const edges = Array.from({ length: 29 }, (_, at) => 10 ** (-6 + at / 4));
  const counts = edges
    .slice(1)
    .map((edge) => Math.round(3000 * Math.exp(-((Math.log10(edge / center) / 0.9) ** 2))));
  return { edges, counts, below: 7, above: 0 };
}

const kinds = 'attn_q attn_k attn_v attn_output ffn_gate ffn_up ffn_down'.split(' ');

function weights(relativeError: number, type: string, layers: number): Candidate['weights'] {
  const tensors = Array.from({ length: layers }, (_, layer) =>
    kinds.map((kind, at) => ({
      name: `blk.${layer}.${kind}.weight`,
      type: at === 2 || at === 6 ? 'Q6_K' : type,
      relativeError:
        relativeError * (at === 2 || at === 6 ? 0.4 : 1) * (1 + 0.25 * Math.sin(layer + at * 1.7)),
    })),
  ).flat();
  const embedding = { name: 'token_embd.weight', type, relativeError: relativeError * 0.9 };
  const norm = { name: 'output_norm.weight', type: 'F32', relativeError: 0 };
  return { relativeError, tensors: [embedding, ...tensors, norm] };
}

const machine = { os: 'linux 6.1', arch: 'x64', cpu: 'Example CPU', cores: 8, memoryBytes: 32e9 };

function speed(tokensPerSecond: number, ceilingTokensPerSecond: number) {
  return {
    method: 'llama.cpp on the CPU, 4 threads, median of 7 runs',
    decode: [64, 512, 2048].map((contextTokens, at) => ({
      contextTokens,
      tokensPerSecond: figure(tokensPerSecond * (1 - at * 0.08), tokensPerSecond * 0.03),
      ceilingTokensPerSecond: ceilingTokensPerSecond * (1 - at * 0.01),
    })),
    prefill: [{ tokens: 512, tokensPerSecond: figure(tokensPerSecond * 9, tokensPerSecond) }],
    peakMemoryBytes: 812_000_000,
  };
}

function energy(joules: number) {
  const kwh = (joules * 1e6) / 3.6e6;
  return {
    method: 'estimate: 65 W package at the measured load, not a meter',
    joulesPerToken: figure(joules, joules * 0.1),
    gramsCo2ePerMillionTokens: figure(kwh * 475, kwh * 47.5),
    gridGramsPerKwh: 475,
    costPerMillionTokens: figure(kwh * 0.25, kwh * 0.025),
    pricePerKwh: 0.25,
    currency: 'EUR',
  };
}

/** A candidate whose losses grow with `loss`, 1 being that of about four bits. */
function candidate(label: string, bitsPerWeight: number, loss: number, text: string): Candidate {
  const bytes = Math.round((134_500_000 * bitsPerWeight) / 8) + 2_100_000;
  const kl = 0.021 * loss;
  return {
    label,
    file: `example-135m-${label.toLowerCase()}.gguf`,
    sha256: label.length.toString(16).repeat(64),
    bytes,
    bitsPerWeight,
    perplexity: figure(14.21 + 0.31 * loss, 0.42),
    bitsPerByte: figure(0.912 + 0.006 * loss, 0.008),
    klDivergence: {
      mean: figure(kl, kl * 0.05),
      median: figure(kl * 0.4, kl * 0.02),
      p99: figure(kl * 9, kl),
      p999: figure(kl * 24, kl * 6),
      max: kl * 61,
    },
    klHistogram: histogram(kl * 0.4),
    topTokenAgreement: figure(1 - 0.062 * loss ** 0.6, 0.0035),
    perplexityRatio: figure(1 + 0.022 * loss, 0.002),
    disagreement: { logProb: figure(0.011, 0.001), klDivergence: figure(-kl * 0.01, kl * 0.02) },
    weights: weights(0.072 * loss ** 0.9, label.slice(0, 4), 30),
    tasks: [
      {
        name: 'arc_easy',
        metric: 'acc,none',
        score: figure(0.581 - 0.012 * loss, 0.02),
        chance: 0.25,
        rows: 2376,
        difference: figure(-0.012 * loss, 0.009),
        retention: figure(1 - 0.036 * loss, 0.027),
      },
    ],
    bias: {
      name: 'crows_pairs',
      pairs: 1508,
      stereotypeShare: figure(0.598 + 0.004 * loss, 0.025),
      difference: figure(0.004 * loss, 0.009),
    },
    speed: speed(62 / (0.35 + bitsPerWeight / 8), 1200 / bitsPerWeight),
    energy: energy(0.12 + 0.05 * bitsPerWeight),
    continuation: words(text),
  };
}

/** A report with everything in it; its numbers are made up. */
export const exampleReport: ReportData = {
  format: 'pith-report/1',
  model: 'Example-135M',
  made: {
    at: '2026-11-22T03:30:00Z',
    command: 'pith report *.gguf --against ./example-135m --data held-out.txt -o card',
    seed: 1,
    machine,
    versions: { pith: '0.1.0', node: '20.20.0', 'node-llama-cpp': '3.22.1' },
  },
  quality: {
    engine: 'llama.cpp',
    device: 'cpu',
    windowTokens: 1024,
    scoredTokens: 50_176,
    documents: 212,
    interval: { unit: 'documents', count: 212, effective: 187.4 },
  },
  data: [{ name: 'held-out.txt', sha256: 'c0ffee00'.repeat(8), licence: 'CC0-1.0' }],
  base: {
    label: 'original',
    file: 'example-135m',
    bytes: 271_100_000,
    bitsPerWeight: 16,
    perplexity: figure(14.21, 0.41),
    bitsPerByte: figure(0.912, 0.008),
    tasks: [
      {
        name: 'arc_easy',
        metric: 'acc,none',
        score: figure(0.581, 0.02),
        chance: 0.25,
        rows: 2376,
      },
    ],
    bias: { name: 'crows_pairs', pairs: 1508, stereotypeShare: figure(0.598, 0.025) },
    speed: speed(26, 75),
    energy: energy(0.92),
    continuation: words(opening + originalEnd),
  },
  candidates: [
    candidate('Q8_0', 8.5, 0.03, opening + originalEnd),
    candidate(
      'Q4_K_M',
      4.83,
      1,
      opening +
        ' rolled down the hill and into a hole . Lily was very sad . A little boy came out of the house .',
    ),
    candidate(
      'Q2_K',
      3.1,
      9,
      ' named Lily . She loved to play with her toys and her toys . One day , she saw a big box . She was the box and the box was happy .',
    ),
  ],
  frontier: [2.6, 3.1, 3.9, 4.8, 6.5, 8.5].map((bits) => ({
    bytes: Math.round(16.9e6 * bits),
    klDivergence: 0.9 * 4 ** -bits,
  })),
  continuation: { prompt: 'Once upon a time there was a little girl', temperature: 0, seed: 1 },
  notes: ['Data of this example are made up.'],
};
