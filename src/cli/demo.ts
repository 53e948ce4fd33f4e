import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { locateModel } from '../models/open.ts';
import { prepareQuantization, quantize, type QuantizeReport } from '../recipes/quantize.ts';
import { verify } from '../recipes/verify/verify.ts';
import { openLlama, type Generation } from '../runtime/llama.ts';
import { defineCommand, type CommandContext } from './framework/command.ts';
import { formatBytes, formatInteger, threeDigits } from './terminal/format-units.ts';
import { formatTable } from './terminal/table.ts';

const types = ['Q8_0', 'Q4_K_M', 'Q2_K'] as const;
const opening = 'Once upon a time there was a little girl';
const storyTokens = 60;
/** What the model's own generation_config.json recommends, with a fixed seed. */
const sampling = { temperature: 0.8, topP: 0.95, seed: 1 };

/** One quantized file of the demo, and what it had to say. */
interface DemoRow {
  readonly type: string;
  readonly report: QuantizeReport;
  readonly verified: boolean;
  readonly generation: Generation;
}

/** `pith demo`: the main job on the model in the box. */
export const demo = defineCommand({
  name: 'demo',
  summary: 'Shrink the model in the box three ways and let each tell a story.',
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
    await mkdir(options.output, { recursive: true });
    const { path } = await locateModel('sample');
    const original = (await stat(join(path, 'model.safetensors'))).size;
    context.note(`The model in the box: 7.3 M parameters, ${formatBytes(original)} as BF16.`);
    const rows: DemoRow[] = [];
    for (const type of types) rows.push(await shrink(context, type, options.output));
    return { ok: rows.every(({ verified }) => verified), original, opening, rows };
  },
  render: ({ original, rows }) => `${renderTable(original, rows)}\n\n${renderStories(rows)}`,
});

async function shrink(context: CommandContext, type: string, folder: string): Promise<DemoRow> {
  const { onProgress, signal } = context;
  const output = join(folder, `sample-${type.toLowerCase()}.gguf`);
  context.note(`Quantizing to ${type}, verifying, telling a story: ${output}`);
  const prepared = await prepareQuantization({ model: 'sample', type });
  try {
    const report = await quantize(prepared, { output, force: true, onProgress, signal });
    const { ok } = await verify(output, { against: 'sample', onProgress, signal });
    return { type, report, verified: ok, generation: await tell(output, signal) };
  } finally {
    await prepared.model.close();
  }
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

function renderTable(original: number, rows: readonly DemoRow[]): string {
  const headings = ['type', 'bytes', 'bits/weight', 'ratio', 'weight error', 'tokens/s', 'checks'];
  return formatTable(
    headings.map((heading, at) => ({
      heading,
      align: at > 0 ? ('right' as const) : ('left' as const),
    })),
    rows.map(({ type, report, verified, generation }) => [
      type,
      formatInteger(report.bytes),
      report.bitsPerWeight.toFixed(2),
      `${(original / report.bytes).toFixed(2)}x`,
      `${(report.relativeError * 100).toFixed(2)} %`,
      threeDigits(generation.tokensPerSecond),
      verified ? 'ok' : 'FAILED',
    ]),
  );
}

function renderStories(rows: readonly DemoRow[]): string {
  return rows
    .map(({ type, generation }) => `${type}: ${opening}${generation.text.trimEnd()} …`)
    .join('\n\n');
}
