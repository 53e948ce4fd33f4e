import type { EnergyFactors } from '../evaluate/energy-factors.ts';
import type { Figure } from '../evaluate/figure.ts';
import type { Footprint } from '../evaluate/footprint.ts';
import type { BenchReport, DecodeRow } from '../recipes/bench/bench.ts';
import { defineCommand } from './framework/command.ts';
import { runnableModel } from './model-reference.ts';
import { engineOptions } from './sampling-options.ts';
import { formatBytes, formatDuration, formatInteger, threeDigits } from '../util/format-units.ts';
import { formatTable } from './terminal/table.ts';
import { parseLengths } from './work-options.ts';

const lengths = { option: '--prompts', what: 'prompt lengths', example: '128,512' };

/** `pith bench`: how fast a GGUF file runs on this machine, and what that takes. */
export const bench = defineCommand({
  name: 'bench',
  summary: 'Time a GGUF model: prompts, decoding, memory, energy.',
  description:
    'Medians of repeated runs, with the interval that holds the true median in 95 % of cases (of\n' +
    'less than six repeats the least and the most). The ceiling is what the memory allows: its measured\n' +
    'reading speed by the bytes that a token reads. Energy is measured where Linux lets this user\n' +
    'read the RAPL counters, else estimated; the report says which. Emissions and cost come from\n' +
    'factors with their sources (in --json), of which a file may replace any: "pricePerKwh: 0.30".',
  examples: [
    'pith bench model.gguf',
    'pith bench model.gguf --prompts 128,1024 --repeats 10 --threads 4 --factors mine.yaml --json',
  ],
  positionals: { model: { description: 'A .gguf file.' } },
  options: {
    prompts: {
      type: 'string',
      value: 'N,N',
      description: 'Prompt lengths in tokens. Default: 128, 512 and 2048, as they fit.',
    },
    tokens: {
      type: 'integer',
      short: 'n',
      value: 'N',
      default: 64,
      min: 2,
      description: 'Decode this many tokens after each prompt.',
    },
    repeats: { type: 'integer', value: 'N', default: 6, min: 1, description: 'Runs a length.' },
    threads: engineOptions.threads,
    gpu: engineOptions.gpu,
    factors: { type: 'string', value: 'FILE', description: 'YAML or JSON with your own factors.' },
  },
  isolated: true,
  async run(context, { positionals, options }) {
    const { bench } = await import('../recipes/bench/bench.ts');
    return bench(await runnableModel(positionals.model), {
      promptLengths:
        options.prompts === undefined ? undefined : parseLengths(options.prompts, lengths),
      decodeTokens: options.tokens,
      repeats: options.repeats,
      threads: options.threads,
      gpu: options.gpu === 'auto' ? 'auto' : false,
      factorsFile: options.factors,
      onProgress: context.onProgress,
      signal: context.signal,
    });
  },
  render: describe,
});

function describe(report: BenchReport): string {
  const device =
    report.device === 'cpu'
      ? `CPU, ${report.threads} thread${report.threads === 1 ? '' : 's'}`
      : report.device;
  const facts = formatTable(
    [{ heading: '' }, { heading: '' }],
    [
      ['model', `${report.model}, ${formatBytes(report.bytes)} of weights`],
      ['runs on', device],
      ['load', formatDuration(report.loadMs / 1000)],
      [
        'first token',
        `${spread(report.timeToFirstTokenMs)} ms at ${report.promptTokens} prompt tokens`,
      ],
      ['peak memory', formatBytes(report.peakMemoryBytes)],
      ['memory speed', `${formatBytes(report.bandwidth.bytesPerSecond)}/s measured`],
      [
        'energy',
        `${spread(report.energy.joulesPerToken)} J a decoded token (${report.energy.method})`,
      ],
      ['1 M prompt tokens', describeFootprint(report.millionTokens.prefill, report.factors)],
      ['1 M decoded tokens', describeFootprint(report.millionTokens.decode, report.factors)],
    ],
  );
  const notes = report.notes.map((note) => `note: ${note}`);
  const brackets = report.repeats < 6 ? 'the least and the most' : 'its 95 % interval';
  const repeats = `median of ${report.repeats}, in brackets ${brackets}`;
  return [facts, speedTable(report), repeats, ...notes].join('\n\n');
}

function speedTable({ prefill, decode }: BenchReport): string {
  return formatTable(
    [
      { heading: '' },
      { heading: 'tokens', align: 'right' },
      { heading: 'tokens/s' },
      { heading: 'J/token', align: 'right' },
      { heading: 'of the ceiling' },
    ],
    [
      ...prefill.map((row) => [
        'prompt',
        formatInteger(row.tokens),
        spread(row.tokensPerSecond),
        threeDigits(row.joulesPerToken.value),
        '',
      ]),
      ...decode.map((row) => [
        `decode after ${formatInteger(row.contextTokens)}`,
        formatInteger(row.tokens),
        spread(row.tokensPerSecond),
        threeDigits(row.joulesPerToken.value),
        describeCeiling(row),
      ]),
    ],
  );
}

function describeCeiling({ ceilingTokensPerSecond, shareOfCeiling = 0 }: DecodeRow): string {
  if (ceilingTokensPerSecond === undefined) return '';
  const ceiling = `${threeDigits(100 * shareOfCeiling)} % of ${threeDigits(ceilingTokensPerSecond)}`;
  return shareOfCeiling > 1 ? `${ceiling}: from the processor's cache` : ceiling;
}

function describeFootprint(footprint: Footprint, { gramsCo2ePerKwh, pricePerKwh }: EnergyFactors) {
  const { kilowattHours, gramsCo2e, cost, currency } = footprint;
  return (
    `${threeDigits(kilowattHours.value)} kWh, ${threeDigits(gramsCo2e.value)} g CO2e ` +
    `(at ${gramsCo2ePerKwh.value} g/kWh), ${threeDigits(cost.value)} ${currency} ` +
    `(at ${pricePerKwh.value} ${currency}/kWh)`
  );
}

/** `312 [305-320]`. */
function spread({ value, low, high }: Figure): string {
  return `${threeDigits(value)} [${threeDigits(low)}-${threeDigits(high)}]`;
}
