import process from 'node:process';
import type { ReportData } from '../evaluate/report/report-data.ts';
import { gatherReport } from '../recipes/report/gather.ts';
import { readReport } from '../recipes/report/read-report.ts';
import { writeReport } from '../recipes/report/write-report.ts';
import { PithError } from '../util/errors.ts';
import { defineCommand } from './framework/command.ts';

/** `pith report`: a proof card of smaller versions of a model. */
export const report = defineCommand({
  name: 'report',
  summary: 'Make a proof card: what smaller versions of a model kept and lost, on one page.',
  description:
    'Measures size, weight errors, quality (with --data), the same text continued by each, speed and\n' +
    'energy, and writes report.html, report.json and the plots as .svg into FOLDER. The page loads\n' +
    'nothing from anywhere and can be sent as it is. Given one report.json, renders that again.',
  examples: [
    'pith report sample-q4_k_m.gguf --against sample --data sample -o card',
    'pith report q8_0.gguf q2_k.gguf --against ./my-model --data text.txt --engine both -o card',
    'pith report card/report.json -o card',
  ],
  positionals: {
    model: {
      description: 'Folders or .gguf files, or one report.json.',
      multiple: true,
    },
  },
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'FOLDER',
      required: true,
      description: 'Where the card goes; files of an earlier card are replaced.',
    },
    against: {
      type: 'string',
      value: 'MODEL',
      description: 'The model they were made from: a folder, a .gguf file, or sample.',
    },
    data: {
      type: 'string',
      value: 'FILE|TASK',
      multiple: true,
      description: 'Text or task (.yaml) to measure quality on; sample is the text in the box.',
    },
    engine: {
      type: 'string',
      value: 'ENGINE',
      default: 'onnx',
      choices: ['onnx', 'llama', 'both'],
      description: 'What computes quality, as in pith evaluate.',
    },
    'max-tokens': {
      type: 'integer',
      value: 'N',
      min: 1,
      description: 'Score no more than the first N tokens.',
    },
    prompt: {
      type: 'string',
      short: 'p',
      value: 'TEXT',
      default: 'Once upon a time',
      description: 'The text that each version continues.',
    },
    tokens: {
      type: 'integer',
      short: 'n',
      value: 'N',
      default: 60,
      min: 1,
      max: 2000,
      description: 'Tokens of each continuation.',
    },
    cache: {
      type: 'string',
      value: 'FOLDER',
      description: "Where scores are kept. Default: the system's place for caches.",
    },
    factors: { type: 'string', value: 'FILE', description: 'YAML or JSON with energy factors.' },
    threads: {
      type: 'integer',
      value: 'N',
      min: 1,
      max: 512,
      description:
        'Threads that compute. Default: all cores, and to write text those found fastest.',
    },
  },
  isolated: true,
  async run(context, { positionals: { model: models }, options }) {
    const { against, data, engine, prompt, tokens, output, cache, threads } = options;
    const { 'max-tokens': maxTokens, factors: factorsFile } = options;
    const { data: card, notes } = isReport(models)
      ? { data: await readReport(models[0]), notes: [] }
      : await gatherReport(
          {
            models,
            against: requireBase(models, against),
            data,
            engine,
            prompt,
            continuationTokens: tokens,
            command: commandLine(),
            maxTokens,
          },
          {
            threads,
            cache,
            factorsFile,
            onProgress: context.onProgress,
            signal: context.signal,
          },
        );
    const written = await writeReport(card, output);
    for (const note of [...card.notes, ...notes]) context.note(`note: ${note}`);
    return { written, ...card };
  },
  render: ({ written }) =>
    `The card is ${written.html}, its data ${written.json}, with ${written.plots.length} plots as .svg beside it.`,
});

function isReport(models: readonly string[]): models is readonly [string] {
  const [only, ...others] = models;
  return others.length === 0 && only!.toLowerCase().endsWith('.json');
}

function requireBase(models: readonly string[], against: string | undefined): string {
  if (against !== undefined) return against;
  throw new PithError(
    'usage',
    `A report of ${models.join(', ')} needs the model that it was made from.`,
    'Add --against MODEL: a folder, a .gguf file, or sample.',
  );
}

/** The command line as a shell would take it again. */
function commandLine(): ReportData['made']['command'] & string {
  const words = process.argv.slice(2).map((word) => {
    return /^[\w./=:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
  });
  return ['pith', ...words].join(' ').slice(0, 2000);
}
