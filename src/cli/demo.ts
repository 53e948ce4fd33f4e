import { openModel } from '../models/open.ts';
import { summarize } from '../models/summary.ts';
import type { ShrinkRequest } from '../recipes/shrink/request.ts';
import { shrink } from '../recipes/shrink/shrink.ts';
import { openLlama, type Generation } from '../runtime/llama.ts';
import { makeFolder } from '../storage/folder.ts';
import { formatBytes, formatCount } from '../util/format-units.ts';
import { describeShrink } from './describe-shrink.ts';
import { defineCommand } from './framework/command.ts';
import { shrinkOutput } from './shrink-output.ts';
import { wrap } from './terminal/wrap.ts';

const opening = 'Once upon a time there was a little girl';
const storyTokens = 60;
const columns = 96;
/** What the model's own generation_config.json recommends, with a fixed seed. */
const sampling = { temperature: 0.8, topP: 0.95, seed: 1 };

/** So much text that it takes less than a minute. */
const request: ShrinkRequest = {
  model: 'sample',
  bits: 3.4,
  tokens: 16_384,
  maxTokens: 2000,
  prompt: opening,
  beside: 'Q3_K_S',
  speed: false,
};

/** `pith demo`: the main job on the model in the box. */
export const demo = defineCommand({
  name: 'demo',
  summary: 'Shrink the model in the box to 3.4 bits a weight and prove what it kept.',
  examples: ['pith demo', 'pith demo --output ./demo-files --json'],
  positionals: {},
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'FOLDER',
      default: 'pith-demo',
      description: 'Where everything goes; files of an earlier demo are replaced.',
    },
  },
  isolated: true,
  async run(context, { options: { output } }) {
    const { onProgress, signal } = context;
    await makeFolder(output);
    const original = await measureOriginal();
    const size = `${formatCount(original.parameters)} parameters in ${formatBytes(original.bytes)}`;
    context.note(`A small model that was trained to tell stories: ${size}.`);
    context.note(
      `Shrinking it to 3.4 bits a weight, beside llama.cpp's ${request.beside}, in ${output}.`,
    );
    const target = { output, force: true, command: 'pith demo', onProgress, signal };
    const made = shrinkOutput(await shrink(request, target));
    const story = await tell(made.output, signal);
    return { ok: true, original, opening, story: story.text, ...made };
  },
  render: ({ story, ...made }) =>
    [
      `\n${describeShrink(made)}`,
      wrap(`${opening}${story.trimEnd()} …`, columns).join('\n'),
      'Your own model: pith shrink ./my-model --size 3.2GB -o small',
    ].join('\n\n'),
});

async function measureOriginal() {
  const model = await openModel('sample');
  const { parameters, bytes, bitsPerWeight } = summarize(model);
  await model.close();
  return { parameters, bytes, bitsPerWeight };
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
