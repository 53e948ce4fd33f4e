import { text as readAll } from 'node:stream/consumers';
import { openLlama, type Generation, type LlamaEngine } from '../runtime/llama.ts';
import { PithError } from '../util/errors.ts';
import { defineCommand, type CommandContext } from './framework/command.ts';
import { runnableModel } from './model-reference.ts';
import { engineOf, engineOptions, samplingOf, samplingOptions } from './sampling-options.ts';
import { contextNote, statistics } from './statistics.ts';

/** `pith run`: continues a prompt, as it is, with a GGUF model. */
export const run = defineCommand({
  name: 'run',
  summary: 'Continue a prompt with a GGUF model.',
  description:
    'The prompt is taken as it is, without a chat template. Special tokens such as <|endoftext|> are\n' +
    'recognised in it. The BOS token comes first only if the file says so, or with --bos.',
  examples: [
    'pith run model.gguf -p "Once upon a time" -n 100',
    'cat question.txt | pith run model.gguf -p - -n 200 --temp 0 --json',
  ],
  positionals: { model: { description: 'A .gguf file.' } },
  options: {
    prompt: {
      type: 'string',
      short: 'p',
      value: 'TEXT',
      required: true,
      description: 'The text to continue; - reads it from stdin.',
    },
    tokens: {
      type: 'integer',
      short: 'n',
      value: 'N',
      default: 128,
      min: 1,
      description: 'Generate at most this many tokens.',
    },
    ...samplingOptions,
    ...engineOptions,
    bos: { type: 'boolean', description: 'Begin with the BOS token, whatever the file says.' },
  },
  isolated: true,
  async run(context, { positionals, options }) {
    const path = await runnableModel(positionals.model);
    const prompt = options.prompt === '-' ? await readAll(context.stdin) : options.prompt;
    const engine = await openLlama(path, { ...engineOf(options), signal: context.signal });
    try {
      const generation = await engine.generate(
        engine.promptTokens(prompt, options.bos || engine.addsBos),
        {
          maxTokens: options.tokens,
          ...samplingOf(options),
          signal: context.signal,
          onText: (text) => context.write(text),
        },
      );
      finish(context, engine, generation);
      const { seed, temp: temperature } = options;
      const { threads, device, contextLength } = engine;
      return { ...generation, seed, temperature, threads, device, contextLength };
    } finally {
      await engine.close();
    }
  },
});

/** Ends the streamed text and says what it took and why it stopped. */
function finish(context: CommandContext, engine: LlamaEngine, generation: Generation): void {
  context.write('\n');
  if (generation.stopReason === 'cancelled') {
    throw new PithError('cancelled', `Stopped after ${generation.generatedTokens} tokens.`);
  }
  const note = contextNote(engine, generation);
  if (note !== undefined) context.note(note);
  if (!context.json) context.note(statistics(engine, generation));
}
