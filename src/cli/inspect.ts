import { estimateMemory, type MemoryEstimate } from '../models/memory-estimate.ts';
import { openModel } from '../models/open.ts';
import { summarize, type ModelSummary, type TensorSummary } from '../models/summary.ts';
import { weightsOf } from '../tensor/tensor.ts';
import { defineCommand } from './framework/command.ts';
import { formatBytes, formatCount, formatInteger } from '../util/format-units.ts';
import { formatTable } from './terminal/table.ts';

interface InspectReport extends ModelSummary {
  readonly model: string;
  readonly memory: MemoryEstimate | undefined;
  readonly notes: readonly string[];
}

/** `pith inspect`: what a model is and needs, from its header alone. */
export const inspect = defineCommand({
  name: 'inspect',
  summary: 'Show what a model is: size, tensors, memory.',
  description: 'Reads the header only, no weights, so that it takes no time on a large model.',
  examples: ['pith inspect sample', 'pith inspect model.gguf --tensors --context 8192'],
  positionals: { model: { description: 'A .gguf file, a Hugging Face folder, or sample.' } },
  options: {
    tensors: { type: 'boolean', description: 'List every tensor.' },
    context: {
      type: 'integer',
      value: 'N',
      min: 1,
      description: 'Tokens to estimate memory for. Default: as trained, at most 4096.',
    },
  },
  async run(context, { positionals, options }): Promise<InspectReport> {
    const model = await openModel(positionals.model);
    try {
      const summary = summarize(model);
      const contextLength = options.context ?? Math.min(4096, summary.contextLength ?? 4096);
      const memory = estimateMemory(model, contextLength);
      const report = {
        model: positionals.model,
        ...summary,
        memory,
        notes: notesOf(model.notes, summary),
      };
      if (options.tensors && !context.json) context.write(`${tensorTable(summary.tensors)}\n\n`);
      return report;
    } finally {
      await model.close();
    }
  },
  render: describe,
});

function notesOf(notes: readonly string[], summary: ModelSummary): string[] {
  const trained = summary.contextLength;
  return [
    ...notes,
    ...(summary.chatTemplate ? [] : ['No chat template: a text model, it continues text.']),
    ...(summary.parameters === 0 ? ['No tensors: the file holds a vocabulary alone.'] : []),
    ...(trained === undefined ? ['The file does not state a context length.'] : []),
  ];
}

/** For a mixture of experts. */
function activeRow({ parameters, activeParameters }: ModelSummary): [string, string][] {
  if (activeParameters === parameters) return [];
  return [['of them for one token', formatCount(activeParameters)]];
}

function describe(report: InspectReport): string {
  const facts = formatTable(
    [{ heading: '' }, { heading: '' }],
    [
      ['architecture', report.architecture],
      ['parameters', `${formatCount(report.parameters)} (${formatInteger(report.parameters)})`],
      ...activeRow(report),
      ['tensors', `${report.tensors.length}, ${formatBytes(report.bytes)}`],
      ['bits per weight', report.bitsPerWeight.toFixed(2)],
      ['layers', known(report.layers)],
      ['context length', `${known(report.contextLength)} tokens`],
      ['vocabulary', `${known(report.vocabulary)} tokens`],
      ['chat template', report.chatTemplate ? 'yes' : 'no'],
      ['memory to run', describeMemory(report.memory)],
    ],
  );
  const types = report.tensors.length > 0 ? [typeTable(report.tensors)] : [];
  return [facts, ...types, ...report.notes.map((note) => `note: ${note}`)].join('\n\n');
}

function known(value: number | undefined): string {
  return value === undefined ? 'unknown' : formatInteger(value);
}

function describeMemory(memory: MemoryEstimate | undefined): string {
  if (!memory) return 'unknown: the file does not state the shape of its attention';
  const { weightsBytes, kvCacheBytes, computeBytes, totalBytes, contextLength } = memory;
  return (
    `about ${formatBytes(totalBytes)} at ${formatInteger(contextLength)} tokens: ` +
    `weights ${formatBytes(weightsBytes)} + KV cache ${formatBytes(kvCacheBytes)} + ` +
    `compute ${formatBytes(computeBytes)} (estimates)`
  );
}

function typeTable(tensors: readonly TensorSummary[]): string {
  const types = [...new Set(tensors.map(({ type }) => type))];
  const rows = types.map((type) => {
    const same = tensors.filter((tensor) => tensor.type === type);
    const weights = same.reduce((sum, { shape }) => sum + weightsOf(shape), 0);
    const bytes = same.reduce((sum, tensor) => sum + tensor.bytes, 0);
    return { type, count: same.length, weights, bytes };
  });
  rows.sort((a, b) => b.bytes - a.bytes);
  return formatTable(
    [
      { heading: 'type' },
      { heading: 'tensors', align: 'right' },
      { heading: 'weights', align: 'right' },
      { heading: 'bytes', align: 'right' },
    ],
    rows.map(({ type, count, weights, bytes }) => [
      type,
      String(count),
      formatCount(weights),
      formatBytes(bytes),
    ]),
  );
}

function tensorTable(tensors: readonly TensorSummary[]): string {
  return formatTable(
    [
      { heading: 'tensor' },
      { heading: 'shape', align: 'right' },
      { heading: 'type' },
      { heading: 'bytes', align: 'right' },
    ],
    tensors.map(({ name, shape, type, bytes }) => [
      name,
      shape.join(' × '),
      type,
      formatBytes(bytes),
    ]),
  );
}
