import { classTotals, type ClassTotals } from '../compress/quantize/quantization-plan.ts';
import { fileTypeNames } from '../compress/quantize/file-types.ts';
import { prepareQuantization, quantize as run, type QuantizeReport } from '../recipes/quantize.ts';
import type { PreparedQuantization } from '../recipes/quantize.ts';
import type { VerifyReport } from '../recipes/verify/verify.ts';
import { openFeedback } from '../recipes/open-evidence.ts';
import { averageBits } from '../tensor/tensor.ts';
import { OpenThings } from '../util/closing.ts';
import { PithError } from '../util/errors.ts';
import { defineCommand, type CommandContext } from './framework/command.ts';
import { formatBytes, formatDuration, formatInteger } from '../util/format-units.ts';
import { formatTable } from './terminal/table.ts';
import { describeChecks } from './describe-checks.ts';
import { threadsOption } from './work-options.ts';

/** `pith quantize`: a Hugging Face folder or GGUF in, a quantized GGUF out. */
export const quantize = defineCommand({
  name: 'quantize',
  summary: 'Quantize a model to GGUF.',
  description:
    'TYPE is a llama.cpp mix or a block type: ' +
    `${fileTypeNames.join(' ')}.\n` +
    'A mix chooses as llama-quantize does. An interrupted run continues where it stopped when the\n' +
    'same command is given again. The finished file is verified unless --no-verify is given.',
  examples: [
    'pith quantize sample --type Q4_K_M -o sample-q4_k_m.gguf',
    "pith quantize ./my-model --type Q4_K_M --tensor 'ffn_down=Q6_K' --imatrix imatrix.gguf -o m.gguf",
    'pith quantize ./my-model --type Q3_K_S --evidence evidence.gguf -o m.gguf',
    'pith quantize ./my-model --type Q3_K_S --dry-run',
  ],
  positionals: { model: { description: 'A Hugging Face folder, a .gguf file, or sample.' } },
  options: {
    type: { type: 'string', short: 't', value: 'TYPE', required: true, description: 'See above.' },
    output: { type: 'string', short: 'o', value: 'FILE', description: 'The .gguf file to write.' },
    tensor: {
      type: 'string',
      value: 'REGEX=TYPE',
      multiple: true,
      description: 'Another type for the tensors whose names match; the first match wins.',
    },
    imatrix: { type: 'string', value: 'FILE', description: 'Importance from llama-imatrix.' },
    evidence: {
      type: 'string',
      value: 'FILE',
      description:
        'Of pith calibrate --hessians: importance, and errors that other weights make up for.',
    },
    pure: { type: 'boolean', description: 'One type for every matrix, no mix.' },
    threads: threadsOption('Worker threads.'),
    'dry-run': { type: 'boolean', description: 'Print the exact size by tensor class and stop.' },
    'no-verify': { type: 'boolean', description: 'Do not check the finished file.' },
    force: { type: 'boolean', short: 'f', description: 'Replace an existing output.' },
  },
  async run(context, { positionals, options }) {
    const { tensor: overrides, type, pure, imatrix = options.evidence } = options;
    const { onProgress, signal } = context;
    const request = { model: positionals.model, type, pure, overrides };
    const prepared = await prepareQuantization(imatrix ? { ...request, imatrix } : request);
    const opened = new OpenThings();
    opened.add(prepared.model);
    try {
      for (const note of prepared.plan.notes) context.note(`note: ${note}`);
      if (options['dry-run']) return dryRun(prepared);
      const { threads, force } = options;
      const output = requireOutput(options.output, positionals.model, type);
      const { evidence: path } = options;
      const watched = { onProgress, signal };
      const evidence = path && opened.add(await openFeedback(path, prepared.model, watched));
      const target = { output, threads, force, ...watched, ...(evidence && { evidence }) };
      const report = await run(prepared, target);
      const { notes } = prepared.plan;
      for (const note of report.notes.slice(notes.length)) context.note(`note: ${note}`);
      const verification = options['no-verify']
        ? undefined
        : await checkWritten(context, report, positionals.model, options.threads);
      return { ok: verification?.ok ?? true, ...report, ...(verification && { verification }) };
    } finally {
      await opened.close();
    }
  },
  render: (report) => ('classes' in report ? renderDryRun(report) : renderReport(report)),
});

/** The same report as a real run, without an output. */
function dryRun({ plan }: PreparedQuantization) {
  const bytes = plan.layout.totalBytes;
  const data = plan.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  return {
    bytes,
    bitsPerWeight: averageBits(plan.tensors),
    tensors: plan.tensors.map(({ name, to, bytes }) => ({ name, type: to, bytes })),
    classes: classTotals(plan.tensors),
    headerAndPaddingBytes: bytes - data,
    notes: plan.notes,
  };
}

function renderDryRun(report: ReturnType<typeof dryRun>): string {
  const columns = ['class', 'tensors', 'weights', 'bytes', 'bits/weight'];
  const table = formatTable(
    columns.map((heading, at) => ({
      heading,
      align: at > 0 ? ('right' as const) : ('left' as const),
    })),
    [
      ...report.classes.map(classRow),
      [
        'tensors',
        formatInteger(report.tensors.length),
        '',
        formatInteger(report.bytes - report.headerAndPaddingBytes),
        report.bitsPerWeight.toFixed(2),
      ],
      ['header, padding', '', '', formatInteger(report.headerAndPaddingBytes), ''],
      ['file', '', '', formatInteger(report.bytes), ''],
    ],
  );
  return `${table}\n\nNothing was written (--dry-run).`;
}

function classRow({ class: name, tensors, weights, bytes }: ClassTotals): string[] {
  const bits = ((bytes * 8) / weights).toFixed(2);
  return [name, formatInteger(tensors), formatInteger(weights), formatInteger(bytes), bits];
}

function requireOutput(output: string | undefined, model: string, type: string): string {
  if (output !== undefined) return output;
  throw new PithError(
    'usage',
    'No output file is given.',
    `pith quantize ${model} --type ${type} -o model-${type.toLowerCase()}.gguf`,
  );
}

async function checkWritten(
  context: CommandContext,
  { output }: QuantizeReport,
  model: string,
  threads: number,
): Promise<VerifyReport> {
  const { onProgress, signal } = context;
  const { verify } = await import('../recipes/verify/verify.ts');
  return verify(output, { against: model, threads, onProgress, signal });
}

function renderReport(report: QuantizeReport & { verification?: VerifyReport }): string {
  const { output, bytes, bitsPerWeight, relativeError, seconds, peakMemoryBytes } = report;
  const facts = [
    `${formatInteger(bytes)} bytes (${formatBytes(bytes)})`,
    `${bitsPerWeight.toFixed(2)} bits/weight`,
    `relative weight error ${(relativeError * 100).toFixed(2)} %`,
    formatDuration(seconds),
    `peak memory ${formatBytes(peakMemoryBytes)}`,
  ];
  const checks = report.verification ? describeChecks(report.verification) : 'not verified';
  return `${output}: ${facts.join(' · ')}\n${checks}`;
}
