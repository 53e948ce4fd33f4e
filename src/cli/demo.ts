import { join } from 'node:path';
import { openModel } from '../models/open.ts';
import { summarize } from '../models/summary.ts';
import { gatherReport } from '../recipes/report/gather.ts';
import { writeReport } from '../recipes/report/write-report.ts';
import { prepareQuantization, quantize, type QuantizeReport } from '../recipes/quantize.ts';
import { verify } from '../recipes/verify/verify.ts';
import { openLlama, type Generation } from '../runtime/llama.ts';
import { makeFolder } from '../storage/folder.ts';
import { defineCommand, type CommandContext } from './framework/command.ts';
import { formatBytes, formatCount, formatInteger, threeDigits } from '../util/format-units.ts';
import { formatTable } from './terminal/table.ts';
import { wrap } from './terminal/wrap.ts';

const types = ['Q8_0', 'Q4_K_M', 'Q2_K'] as const;
const opening = 'Once upon a time there was a little girl';
const storyTokens = 60;
/** Tokens on which quality is measured: enough to tell the three files apart within seconds. */
const scoredTokens = 2000;
const columns = 96;
/** What the model's own generation_config.json recommends, with a fixed seed. */
const sampling = { temperature: 0.8, topP: 0.95, seed: 1 };

/** The model before it is shrunk: the bytes of its weights. */
interface Original {
  readonly parameters: number;
  readonly bytes: number;
  readonly bitsPerWeight: number;
}

/** One quantized file of the demo, and what it had to say. */
interface DemoRow {
  readonly type: string;
  readonly report: QuantizeReport;
  readonly verified: boolean;
  readonly generation: Generation;
}

/** What a file lost, on the tokens measured. */
interface DemoLoss {
  readonly klDivergence: number;
  readonly topTokenAgreement: number;
}

/** `pith demo`: the main job on the model in the box. */
export const demo = defineCommand({
  name: 'demo',
  summary: 'Shrink the model in the box three ways and prove what each kept.',
  examples: ['pith demo', 'pith demo --output ./demo-files --json'],
  positionals: {},
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'FOLDER',
      default: 'pith-demo',
      description: 'Where the GGUF files go; files of an earlier demo are replaced.',
    },
  },
  async run(context, { options }) {
    await makeFolder(options.output);
    const original = await measureOriginal();
    const size = `${formatCount(original.parameters)} parameters in ${formatBytes(original.bytes)}`;
    context.note(`A small model that was trained to tell stories: ${size}.`);
    const rows: DemoRow[] = [];
    for (const type of types) rows.push(await shrink(context, type, options.output));
    const { card, losses } = await prove(context, options.output);
    const ok = rows.every(({ verified }) => verified);
    return { ok, original, opening, folder: options.output, rows, losses, card };
  },
  render: ({ original, rows, losses, folder, card }) =>
    [
      `\n${renderTable(original, rows, losses)}`,
      explanation,
      ...rows.map(renderStory),
      `The proof card, with intervals, texts side by side, speed and energy: ${card}`,
      `The files are in ${folder}. Your own model: pith quantize ./my-model --type Q4_K_M -o my-model.gguf`,
    ].join('\n\n'),
});

const explanation = [
  'ratio         how many times smaller than the original weights',
  'weight error  how far rounding moved the weights, in % of their size',
  'KL            how far the odds of the next token moved from the original\u2019s; 0 is not at all',
  'same token    how often it finds the same next token likeliest',
  'tokens/s      how fast the story came, about a word a token',
  'checks        the file was read back: structure, weights, tokenizer, 20 tokens of text',
].join('\n');

async function measureOriginal(): Promise<Original> {
  const model = await openModel('sample');
  const { parameters, bytes, bitsPerWeight } = summarize(model);
  await model.close();
  return { parameters, bytes, bitsPerWeight };
}

async function shrink(context: CommandContext, type: string, folder: string): Promise<DemoRow> {
  const { onProgress, signal } = context;
  const output = fileOf(folder, type);
  context.note(`Shrinking it to ${type}, checking the file, letting it tell a story: ${output}`);
  const prepared = await prepareQuantization({ model: 'sample', type });
  try {
    const report = await quantize(prepared, { output, force: true, onProgress, signal });
    const { ok } = await verify(output, { against: 'sample', onProgress, signal });
    return { type, report, verified: ok, generation: await tell(output, signal) };
  } finally {
    await prepared.model.close();
  }
}

function fileOf(folder: string, type: string): string {
  return join(folder, `sample-${type.toLowerCase()}.gguf`);
}

/** Measures the three files against the original and writes the proof card. */
async function prove(context: CommandContext, folder: string) {
  const { onProgress, signal } = context;
  context.note('Measuring what each lost, how fast it is and what it takes.');
  const { data } = await gatherReport(
    {
      models: types.map((type) => fileOf(folder, type)),
      labels: types,
      against: 'sample',
      data: ['sample'],
      maxTokens: scoredTokens,
      prompt: opening,
      continuationTokens: storyTokens,
      command: 'pith demo',
    },
    { cache: join(folder, 'scores'), onProgress, signal },
  );
  const { html } = await writeReport(data, folder);
  const losses = data.candidates.map(({ klDivergence, topTokenAgreement }): DemoLoss => ({
    klDivergence: klDivergence!.mean.value,
    topTokenAgreement: topTokenAgreement!.value,
  }));
  return { card: html, losses };
}

async function tell(path: string, signal: AbortSignal): Promise<Generation> {
  const engine = await openLlama(path, { signal });
  try {
    const prompt = engine.promptTokens(opening, true);
    return await engine.generate(prompt, { ...sampling, maxTokens: storyTokens, signal });
  } finally {
    await engine.close();
  }
}

function renderTable(
  original: Original,
  rows: readonly DemoRow[],
  losses: readonly DemoLoss[],
): string {
  const headings = [
    'type',
    'bytes',
    'bits/weight',
    'ratio',
    'weight error',
    'KL',
    'same token',
    'tokens/s',
    'checks',
  ];
  return formatTable(
    headings.map((heading, at) => ({
      heading,
      align: at > 0 ? ('right' as const) : ('left' as const),
    })),
    [
      ['original', formatInteger(original.bytes), original.bitsPerWeight.toFixed(2)],
      ...rows.map(({ type, report, verified, generation }, at) => [
        type,
        formatInteger(report.bytes),
        report.bitsPerWeight.toFixed(2),
        `${(original.bytes / report.bytes).toFixed(2)}x`,
        `${(report.relativeError * 100).toFixed(2)} %`,
        threeDigits(losses[at]!.klDivergence),
        `${threeDigits(100 * losses[at]!.topTokenAgreement)} %`,
        threeDigits(generation.tokensPerSecond),
        verified ? 'ok' : 'FAILED',
      ]),
    ],
  );
}

function renderStory({ type, generation }: DemoRow): string {
  return wrap(`${type}: ${opening}${generation.text.trimEnd()} …`, columns).join('\n');
}
