/**
 * The weights by which ggml itself counts the squared error of each weight when it fits a block, so
 * that both quantizers are judged by its measure.
 *
 * @see ggml/src/ggml-quants.c, llama.cpp v0.5.0: quantize_row_*_ref without an importance matrix,
 * quantize_row_*_impl with one.
 */

/** x of one row, `[columns]`, and its importance -> weights, `[columns]`. */
const plain = (x) => x.map(() => 1);
const squares = (x) => x.map((value) => value * value);
const magnitudes = (x) => x.map(Math.abs);
/** The root mean square of 32 weights, plus the magnitude. */
const magnitudesAndMean = (x) =>
  x.map((value, i) => Math.sqrt(meanSquareAround(x, i, 32)) + Math.abs(value));
const importanceAlone = (x, importance) => importance;
/** Importance times sqrt(factor * mean square of a block + x^2); `block` 0 is the whole row. */
const importanceTimesSize = (block, factor) => (x, importance) =>
  x.map((value, i) => {
    const mean = meanSquareAround(x, i, block || x.length);
    return importance[i] * Math.sqrt(factor * mean + value * value);
  });

const remembered = { x: undefined, start: -1, size: 0, mean: 0 };

/** Mean square of the block of `size` weights that holds weight i. */
function meanSquareAround(x, i, size) {
  const start = i - (i % size);
  if (remembered.x !== x || remembered.start !== start || remembered.size !== size) {
    let sum = 0;
    for (let j = start; j < start + size; j++) sum += x[j] * x[j];
    Object.assign(remembered, { x, start, size, mean: sum / size });
  }
  return remembered.mean;
}

const simple = { without: plain, with: importanceTimesSize(0, 1) };

/** By block type; a type that is not here is judged plainly. */
const weightsOfType = {
  Q4_0: simple,
  Q4_1: simple,
  Q5_0: simple,
  Q5_1: simple,
  Q2_K: { without: magnitudes, with: importanceTimesSize(256, 1) },
  Q3_K: { without: squares, with: importanceTimesSize(256, 2) },
  Q4_K: { without: magnitudesAndMean, with: importanceTimesSize(256, 2) },
  Q5_K: { without: magnitudesAndMean, with: importanceTimesSize(256, 2) },
  Q6_K: { without: squares, with: importanceAlone },
  IQ4_NL: { without: squares, with: importanceTimesSize(32, 2) },
  IQ4_XS: { without: squares, with: importanceTimesSize(256, 2) },
};

/**
 * Weights of one row.
 *
 * @param {string} type - Block type it is quantized to.
 * @param {Float32Array} x - `[columns]`.
 * @param {Float32Array | undefined} importance - `[columns]`, when quantized with one.
 * @returns {Float32Array}
 */
export function ggmlWeights(type, x, importance) {
  const { without, with: weighted } = weightsOfType[type] ?? { without: plain, with: plain };
  return importance ? weighted(x, importance) : without(x);
}
