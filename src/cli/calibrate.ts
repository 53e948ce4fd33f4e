import { basename } from 'node:path';
import { hessianUnit } from '../compress/evidence/hessian.ts';
import type { CalibrateReport } from '../recipes/calibrate/calibrate.ts';
import { PithError } from '../util/errors.ts';
import { formatBytes, formatDuration, formatInteger } from '../util/format-units.ts';
import { defineCommand } from './framework/command.ts';
import { threadsOption } from './work-options.ts';

/** Columns: with what GPTQ leaves out beyond them, files lose little, and 1 B parameters take 2 GB. */
const defaultBlock = 2048;

/** `pith calibrate`: what a model's activations and gradients are over some text. */
export const calibrate = defineCommand({
  name: 'calibrate',
  summary: 'Measure which weights matter, on text: evidence for quantizing.',
  description:
    'Runs the model over text and back, and writes for every matrix how large its inputs are by column\n' +
    '(the importance matrix) and how much its outputs matter by row (Fisher information). The file is\n' +
    'also an importance matrix for pith quantize --imatrix and for llama-quantize; --imatrix writes one\n' +
    'without the rest, in which experts with few tokens are drawn to the mean of their layer.\n' +
    'Give the command again after an interruption: it continues, and writes the same bytes.\n\n' +
    'A .jsonl file has a "text" or chat "messages" a row; other files are cut at lines <|endoftext|>.\n' +
    'Without --data the text in the box is taken: prose, code, documentation, dialogues, 13 languages.',
  examples: [
    'pith calibrate sample',
    'pith calibrate ./my-model --data mine.txt -o my-model.evidence.gguf --tokens 100000',
    'pith calibrate sample --hessian-block full',
    'pith calibrate model.gguf --no-gradients --imatrix imatrix.gguf',
  ],
  positionals: { model: { description: 'A Hugging Face folder, a .gguf file, or sample.' } },
  options: {
    data: { type: 'string', value: 'FILE', multiple: true, description: 'Text to run it on.' },
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      description: 'The file to write. Default: MODEL.evidence.gguf here.',
    },
    imatrix: {
      type: 'string',
      value: 'FILE',
      description: 'Also an importance matrix for llama-quantize.',
    },
    tokens: { type: 'integer', value: 'N', min: 1, description: 'Take no more than N tokens.' },
    context: {
      type: 'integer',
      value: 'N',
      min: 2,
      description: 'Tokens of a window. Default 512, or what the model was trained on if less.',
    },
    'no-gradients': { type: 'boolean', description: 'Inputs only, a quarter of the time.' },
    hessians: {
      type: 'boolean',
      description: `Also sums of products of input columns, in blocks of ${defaultBlock}, and of output gradients, for error feedback.`,
    },
    'hessian-block': {
      type: 'string',
      value: 'N|full',
      description: `The same, in blocks of N input columns, a multiple of ${hessianUnit}, or of all.`,
    },
    threads: threadsOption('Threads that compute.'),
    force: { type: 'boolean', short: 'f', description: 'Replace an existing output.' },
  },
  isolated: true,
  async run(context, { positionals: { model }, options }) {
    const { data, tokens: maxTokens, context: length, imatrix, force, threads } = options;
    const name = basename(model.replace(/[/\\]+$/, '')).replace(/\.gguf$/i, '');
    const { output = `${name}.evidence.gguf` } = options;
    const gradients = !options['no-gradients'];
    const { onProgress, signal } = context;
    const hessianBlock = blockOf(options.hessians, options['hessian-block']);
    const recipe = await import('../recipes/calibrate/calibrate.ts');
    const report = await recipe.calibrate(
      { model, data, maxTokens, context: length, gradients, hessianBlock },
      { output, imatrix, force, threads, onProgress, signal },
    );
    for (const note of report.notes) context.note(`note: ${note}`);
    for (const warning of report.warnings) context.note(`warning: ${warning}`);
    return report;
  },
  render: describe,
});

/** Columns of a Hessian's block; undefined for none. */
function blockOf(isAsked: boolean, columns: string | undefined): number | undefined {
  if (columns === undefined) return isAsked ? defaultBlock : undefined;
  const block = columns === 'full' ? Infinity : Number(columns);
  if (block === Infinity || (block >= hessianUnit && block % hessianUnit === 0)) return block;
  throw new PithError(
    'usage',
    `--hessian-block must be a multiple of ${hessianUnit}, or full; not "${columns}".`,
    `For example: --hessian-block ${defaultBlock}`,
  );
}

function describe(report: CalibrateReport): string {
  const { output, bytes, imatrix, tokens, documents, windowTokens, tensors, hessians, grams } =
    report;
  const facts = [
    `${formatInteger(tokens)} tokens of ${formatInteger(documents)} documents, windows of ${windowTokens}`,
    `${formatInteger(tensors)} matrices${report.gradients ? ', with gradients' : ''}`,
    ...(hessians
      ? [
          `${hessians.count} Hessians of ${hessians.blockColumns} columns: ${formatBytes(hessians.bytes)}`,
        ]
      : []),
    ...(grams
      ? [`${grams.count} Gram matrices of ${grams.blockRows} rows: ${formatBytes(grams.bytes)}`]
      : []),
    formatDuration(report.seconds),
    `peak memory ${formatBytes(report.peakMemoryBytes)}`,
  ];
  const also = imatrix === undefined ? [] : [`${imatrix}: for llama-quantize --imatrix`];
  return [`${output}: ${formatBytes(bytes)}`, ...also, facts.join(' · ')].join('\n');
}
