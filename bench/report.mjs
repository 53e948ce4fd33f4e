/** What every benchmark prints: the machine, medians with their spread, a table or JSON. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { formatTable } from '../dist/cli/terminal/table.js';
import { version } from '../dist/util/version.js';

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Median, least and most of repeated measurements.
 *
 * @param {readonly number[]} values
 */
export function summarize(values) {
  return {
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    n: values.length,
  };
}

/** `2.31 (2.20-2.54)`: median and spread. */
export function describe({ median, min, max }, digits = 2) {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
}

/** Processor, cores, memory, system and versions; the load average shows who else was at work. */
export function machine() {
  const [processor] = cpus();
  return {
    processor: processor.model.trim(),
    cores: cpus().length,
    memoryBytes: totalmem(),
    system: `${platform()} ${release()}`,
    node: process.version,
    pith: version,
    nodeLlamaCpp: nodeLlamaCppVersion(),
    loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
  };
}

function nodeLlamaCppVersion() {
  const file = resolve(import.meta.dirname, '../node_modules/node-llama-cpp/package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

/**
 * Prints one benchmark's answer.
 *
 * @param {object} result
 * @param {string} result.question - What is measured, in a sentence.
 * @param {ReturnType<typeof machine>} result.machine - As it was before the first run.
 * @param {Record<string, string | number>} result.settings - Threads, runs, inputs.
 * @param {readonly Record<string, unknown>[]} result.rows - For `--json`.
 * @param {{ headings: readonly string[], cells: readonly (readonly string[])[] }} table - For people.
 * @param {boolean} json
 */
export function printResult(result, { headings, cells }, json) {
  const loadAfter = machine().loadAverage;
  if (json) {
    console.log(JSON.stringify({ ...result, loadAfter }));
    return;
  }
  const { processor, cores, system, node, pith, nodeLlamaCpp, loadAverage } = result.machine;
  console.log(result.question);
  console.log(`${processor}, ${cores} cores, ${system}; load ${loadAverage[0]} to ${loadAfter[0]}`);
  console.log(`Pith ${pith}, Node ${node}, node-llama-cpp ${nodeLlamaCpp}`);
  const settings = Object.entries(result.settings).map(([name, value]) => `${name} ${value}`);
  console.log(`${settings.join(' · ')}\n`);
  const columns = headings.map((heading, at) => ({ heading, align: at > 0 ? 'right' : 'left' }));
  console.log(formatTable(columns, cells));
}
