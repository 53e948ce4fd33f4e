import { fit as run, type FitReport } from '../recipes/fit/fit.ts';
import type { FitRow, MemoryCell } from '../recipes/fit/recommend.ts';
import { defineCommand } from './framework/command.ts';
import { formatBytes, formatCount, formatInteger, threeDigits } from '../util/format-units.ts';
import { formatTable } from './terminal/table.ts';
import { parseLengths } from './work-options.ts';

const lengths = { option: '--context', what: 'context lengths', example: '4096,16384' };

/** `pith fit`: which types of a model fit a machine, before anything is written. */
export const fit = defineCommand({
  name: 'fit',
  summary: 'Show which types of a model fit this machine, and how fast they may be.',
  description:
    'Reads the header only. File sizes are exact; memory is an estimate; tokens/s are a prediction\n' +
    'from the measured speed of this machine’s memory (pith bench measures). Recommended is the type\n' +
    'with the most bits that fits at the first context length and is fast enough by --speed.',
  examples: ['pith fit sample', 'pith fit ./my-model --ram 8GB --context 4096,16384 --speed 20'],
  positionals: { model: { description: 'A Hugging Face folder, a .gguf file, or sample.' } },
  options: {
    ram: {
      type: 'bytes',
      value: 'SIZE',
      description: 'Memory the model may take. Default: 80 % of what is here.',
    },
    context: {
      type: 'string',
      value: 'N,N',
      description: 'Context lengths in tokens. Default: 4096 and 32768, as far as trained.',
    },
    speed: {
      type: 'number',
      value: 'N',
      default: 10,
      min: 0,
      description: 'Tokens/s that the recommended type should reach.',
    },
    all: { type: 'boolean', description: 'Show every type for ordinary weights.' },
  },
  run: (context, { positionals, options }) =>
    run(positionals.model, {
      memoryBytes: options.ram,
      contextLengths:
        options.context === undefined ? undefined : parseLengths(options.context, lengths),
      allTypes: options.all,
      wantedTokensPerSecond: options.speed,
      signal: context.signal,
    }),
  render: describe,
});

function describe(report: FitReport): string {
  const { memory, bandwidth, types, recommended, contextLengths } = report;
  const table = formatTable(
    [
      { heading: '' },
      { heading: 'type' },
      { heading: 'file', align: 'right' },
      { heading: 'bits/weight', align: 'right' },
      ...contextLengths.map((length) => ({
        heading: `memory at ${formatInteger(length)}`,
        align: 'right' as const,
      })),
      { heading: 'tokens/s, predicted' },
    ],
    types.map((row) => [
      row.type === recommended?.type ? '>' : '',
      row.type,
      formatBytes(row.bytes),
      row.bitsPerWeight.toFixed(2),
      ...row.memory.map(describeMemory),
      describeSpeed(row),
    ]),
  );
  const facts =
    `${report.model}: ${report.architecture}, ${formatCount(report.parameters)} parameters. ` +
    `${formatBytes(memory.bytes)} of memory (${memory.source}), read at ` +
    `${formatBytes(bandwidth.bytesPerSecond)}/s; predicted: ${report.prediction}.`;
  const notes = report.notes.map((note) => `note: ${note}`);
  return [facts, table, describeChoice(report), ...notes].join('\n\n');
}

function describeMemory({ totalBytes, fits }: MemoryCell): string {
  if (totalBytes === undefined) return 'unknown';
  return `${formatBytes(totalBytes)} ${fits ? 'fits' : 'NO  '}`;
}

function describeSpeed({ predictedTokensPerSecond: predicted }: FitRow): string {
  if (!predicted) return 'an encoder makes no text';
  const { value, low, high } = predicted;
  return `${threeDigits(value)} (${threeDigits(low)}-${threeDigits(high)})`;
}

function describeChoice({ recommended, types, memory, contextLengths }: FitReport): string {
  if (recommended) {
    const next = recommended.command ?? 'It is there already: pith run FILE -p "…"';
    return `Recommended: ${recommended.type}, ${recommended.reason}.\n  ${next}`;
  }
  const least = types.at(-1)?.memory[0]?.totalBytes;
  if (least === undefined) {
    return 'Nothing is recommended: the model does not state the shape of its attention.';
  }
  return (
    `Nothing fits ${formatBytes(memory.bytes)} at ${formatInteger(contextLengths[0]!)} tokens: the ` +
    `smallest type needs ${formatBytes(least)}. Try a shorter --context, or a smaller model.`
  );
}
