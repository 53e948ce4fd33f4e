/** The cost model of `pith shrink`: the work of its steps by kind, from a model's shape, and what it is taken to do a second. */
import { fitFactors } from '../dist/compress/allocate/fit-factors.js';
import { hessianBlock } from '../dist/recipes/shrink/predict/evidence.js';
import { tensorInfos } from './decoder-shapes.mjs';

/**
 * What two cores of 2023 do a second; measuring a small model says how much more or less it is here.
 *
 * - pass: multiply-adds of ONNX Runtime, forward, backward, and products of activations.
 * - factor: multiply-adds of factoring Hessians and Gram matrices.
 * - feedback: multiply-adds that pass a rounding error on.
 * - search: weights whose scales and codes are searched.
 * - run: multiply-adds of llama.cpp in the quantized file.
 * - start: of engines and workers.
 */
const nominal = { pass: 6e10, factor: 6e9, feedback: 1.2e10, search: 1.4e7, run: 6e10, start: 0.7 };

/** As in src/recipes/shrink and src/compress: rows of a block, rows that are tried, probes around a choice. */
const outputBlock = 1024;
const triedRows = 256;
const comparedRows = 64;
const probes = 8;
/** Of all weights, what the probes of one round encode: the choice, one class after the other changed, the next choice. */
const encodedByProbes = 2.5;

/** @typedef {Partial<Record<keyof typeof nominal, number>>} Work */

const few = (most) => (one) => Math.min(one.rows, most);
const sum = (items, of) => items.reduce((total, item) => total + of(item), 0);
const times = (work, by) => Object.fromEntries(Object.entries(work).map(([k, v]) => [k, by * v]));

function added(...works) {
  const total = {};
  for (const work of works)
    for (const [kind, amount] of Object.entries(work)) total[kind] = (total[kind] ?? 0) + amount;
  return total;
}

function matricesOf(size) {
  const matrices = tensorInfos(size).filter(({ shape }) => shape.length === 2);
  return matrices.map(({ name, shape: [rows, columns] }) => ({ name, rows, columns }));
}

/** Multiply-adds of all products within blocks of at most `most`; half of a symmetric one, and an eighth more. */
const products = (size, most) => size * Math.min(size, most) * 0.625;
const factoring = (size, most) => (size * Math.min(size, most) ** 2) / 2;
/** Matrices that read the same have one Hessian. */
const ownInput = ({ name }) => !/attn_[kv]|ffn_up|token_embd/.test(name);

function encoding(matrices, rowsOf, typesOf = () => 1) {
  const weights = (one) => typesOf(one) * rowsOf(one) * one.columns;
  const reach = (one) =>
    (Math.min(one.columns, hessianBlock) + Math.min(rowsOf(one), outputBlock)) / 2;
  return {
    search: sum(matrices, weights),
    feedback: sum(matrices, (one) => weights(one) * reach(one)),
    factor: sum(matrices, (one) => {
      const columns = ownInput(one) ? factoring(one.columns, hessianBlock) : 0;
      return columns + factoring(rowsOf(one), outputBlock);
    }),
  };
}

/**
 * The work of each step.
 *
 * @param {import('./decoder-shapes.mjs').DecoderSize} size
 * @param {{ tokens: number, heldOut: number, scored: number, typesOf: (name: string) => number }} job - Tokens of
 *   evidence, held out, and that the evaluation runs (more than it scores where windows overlap); candidates of a matrix.
 * @returns {Record<string, Work>}
 */
export function workOf(size, { tokens, heldOut, scored, typesOf }) {
  const matrices = matricesOf(size);
  const blocks = matrices.filter(({ name }) => name.startsWith('blk'));
  const head = size.vocabulary * size.width;
  const forward = sum(blocks, ({ rows, columns }) => rows * columns) + head;
  const observed =
    sum(blocks.filter(ownInput), ({ columns }) => products(columns, hessianBlock)) +
    sum(blocks, ({ rows }) => products(rows, outputBlock));
  const evidence = (count) => ({ pass: count * (3 * forward + observed) });
  const whole = encoding(matrices, ({ rows }) => rows);
  const steps = {
    evidence: evidence(tokens),
    costs: encoding(matrices, few(triedRows), ({ name }) => typesOf(name)),
    types: added(times(whole, encodedByProbes), { pass: probes * heldOut * forward }),
    check: added(evidence(heldOut), times(encoding(matrices, few(comparedRows)), 2)),
    write: whole,
    measure: { pass: scored * forward, run: scored * forward },
    beside: { run: scored * forward },
  };
  return Object.fromEntries(
    Object.entries(steps).map(([name, work]) => [name, { ...work, start: 1 }]),
  );
}

const inSeconds = (work) =>
  new Map(Object.entries(work).map(([kind, amount]) => [kind, amount / nominal[kind]]));

/**
 * How much longer each kind of work takes here than it nominally does.
 *
 * @param {readonly { work: Work, seconds: number }[]} steps
 */
export function fitRates(steps) {
  return fitFactors(
    steps.map(({ work, seconds }) => ({ costs: inSeconds(work), measured: seconds })),
  );
}

/** Seconds that a step should take. */
export function predictedSeconds(work, rates) {
  return [...inSeconds(work)].reduce(
    (total, [kind, seconds]) => total + seconds * rates.get(kind),
    0,
  );
}
