import { PithError } from '../util/errors.ts';
import { commandLine } from './command-line.ts';
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
      description: 'Text or task to measure quality on, as in pith evaluate.',
    },
    'task-data': {
      type: 'string',
      value: 'PATH',
      multiple: true,
      description: 'Rows of the task: a file, or a folder of them.',
    },
    limit: {
      type: 'integer',
      value: 'N',
      min: 1,
      description: 'Ask the first N rows of each data file of a task.',
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
    const { output, engine, prompt, tokens, ...measuring } = options;
    const { onProgress, signal } = context;
    const { makeWritableFolder } = await import('../storage/folder.ts');
    const { writeReport } = await import('../recipes/report/write-report.ts');
    if (isReport(models)) {
      requireNothingToMeasure(models[0], measuring);
      const { readReport } = await import('../recipes/report/read-report.ts');
      const card = await readReport(models[0]);
      return { written: await writeReport(card, output), ...card };
    }
    const { data, limit, threads, cache, factors: factorsFile } = measuring;
    const { 'task-data': taskData, 'max-tokens': maxTokens } = measuring;
    const against = requireBase(models, measuring.against);
    const { gatherReport } = await import('../recipes/report/gather.ts');
    const command = commandLine();
    const shown = { prompt, continuationTokens: tokens, command };
    await makeWritableFolder(output);
    const { data: card, notes } = await gatherReport(
      { models, against, data, taskData, limit, engine, maxTokens, ...shown },
      { threads, cache, factorsFile, onProgress, signal },
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

const isGiven = (value: unknown) => (Array.isArray(value) ? value.length > 0 : value !== undefined);

/** A card is rendered from its data as they are. */
function requireNothingToMeasure(file: string, measuring: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(report.options).filter((name) => isGiven(measuring[name]));
  if (names.length === 0) return;
  throw new PithError(
    'usage',
    `${file} is measured already; --${names[0]} is for measuring.`,
    'Leave it out, or give models instead of the report.json.',
  );
}

function requireBase(models: readonly string[], against: string | undefined): string {
  if (against !== undefined) return against;
  throw new PithError(
    'usage',
    `A report of ${models.join(', ')} needs the model that it was made from.`,
    'Add --against MODEL: a folder, a .gguf file, or sample.',
  );
}
