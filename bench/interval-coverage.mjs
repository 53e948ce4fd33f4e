/**
 * How often do 95 % intervals hold the truth, on documents whose tokens depend on each other?
 *
 * usage: npm run build && node bench/interval-coverage.mjs [samples=4000]
 *
 * Documents have log-normal lengths of spread σ around 30 tokens; a token is the document's normal
 * effect (variance 1/4) + skewed noise (exponential, variance 1). Prints, by σ and number of documents,
 * the share of samples whose interval holds the true mean: as if tokens were independent, by
 * √(D/(D−1)·Σe²)/N with D − 1 degrees of freedom, and as Pith does; and the
 * true median, as Pith does and by bootstrap.
 */
import { bootstrap } from '../dist/evaluate/bootstrap.js';
import { groupTokens } from '../dist/evaluate/grouping.js';
import { clusteredMean } from '../dist/evaluate/interval.js';
import { clusteredQuantiles } from '../dist/evaluate/quantiles.js';
import { seededRandom } from '../dist/util/random.js';
import { studentQuantile } from '../dist/util/student-t.js';

const samples = Number(process.argv[2] ?? 4000);
const trueMedian = -0.2116;

function drawDocuments(random, count, spread) {
  return Array.from({ length: count }, () => {
    const length = Math.max(2, Math.round(30 * Math.exp(spread * random.normal())));
    const effect = 0.5 * random.normal();
    return Array.from({ length }, () => effect - Math.log(1 - random.uniform()) - 1);
  });
}

const sumOf = (values) => values.reduce((sum, value) => sum + value, 0);
const around = (value, half) => ({ low: value - half, high: value + half });

function independent(documents) {
  const values = documents.flat();
  const mean = sumOf(values) / values.length;
  const variance = sumOf(values.map((value) => (value - mean) ** 2)) / values.length;
  return around(mean, 1.96 * Math.sqrt(variance / values.length));
}

function simple(documents) {
  const tokens = documents.flat().length;
  const mean = sumOf(documents.flat()) / tokens;
  const squares = sumOf(documents.map((values) => (sumOf(values) - mean * values.length) ** 2));
  const degrees = documents.length - 1;
  const error = Math.sqrt((documents.length / degrees) * squares) / tokens;
  return around(mean, studentQuantile(0.975, degrees) * error);
}

function ours(documents) {
  return clusteredMean(documents.map((values) => ({ sum: sumOf(values), count: values.length })));
}

function median(documents) {
  const counts = documents.map(({ length }) => length);
  return clusteredQuantiles(Float64Array.from(documents.flat()), groupTokens(counts), [0.5])[0];
}

function medianByBootstrap(documents) {
  const tokens = documents
    .flatMap((values, document) => values.map((value) => ({ value, document })))
    .sort((a, b) => a.value - b.value);
  const counts = documents.map(({ length }) => length);
  const statistic = (weights) => {
    const half = sumOf(counts.map((count, at) => count * weights[at])) / 2;
    let reached = 0;
    return [tokens.find(({ document }) => (reached += weights[document]) >= half).value];
  };
  return bootstrap(counts, statistic, { resamples: 199 })[0];
}

const methods = [
  ['independent tokens', independent, 0],
  ['D/(D-1), t of D-1', simple, 0],
  ['clusteredMean', ours, 0],
  ['median', median, trueMedian],
  ['median by bootstrap', medianByBootstrap, trueMedian],
];
const columns = ['spread', 'documents', ...methods.map(([name]) => name)];
console.log(columns.map((name) => name.padStart(20)).join(''));
for (const spread of [0, 0.5, 1, 1.5]) {
  for (const count of [3, 6, 12, 20, 50]) {
    const random = seededRandom(1, count);
    const held = methods.map(() => 0);
    for (let sample = 0; sample < samples; sample += 1) {
      const documents = drawDocuments(random, count, spread);
      methods.forEach(([, interval, truth], at) => {
        const { low, high } = interval(documents);
        if (low <= truth && truth <= high) held[at] += 1;
      });
    }
    const shares = held.map((number) => `${((100 * number) / samples).toFixed(1)} %`);
    console.log([spread, count, ...shares].map((cell) => String(cell).padStart(20)).join(''));
  }
}
