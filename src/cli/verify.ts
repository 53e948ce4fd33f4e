import { verify as run } from '../recipes/verify/verify.ts';
import { describeChecks } from './describe-checks.ts';
import { defineCommand } from './framework/command.ts';
import { threadsOption } from './work-options.ts';

/** `pith verify`: reloads a GGUF file and checks what a user would stumble over. */
export const verify = defineCommand({
  name: 'verify',
  summary: 'Check a GGUF file: structure, weights, tokenizer, chat template, 20 tokens of text.',
  description:
    'With --against, tokens and chat template are compared with the model the file was made from;\n' +
    'without it, texts must come back from their tokens. Exit code 1 when a check fails.',
  examples: ['pith verify model.gguf', 'pith verify sample-q4_k_m.gguf --against sample --json'],
  positionals: { file: { description: 'A .gguf file.' } },
  options: {
    against: {
      type: 'string',
      value: 'MODEL',
      description: 'The model it was made from: a folder, a .gguf file, or sample.',
    },
    threads: threadsOption('Worker threads.'),
  },
  run: (context, { positionals, options }) =>
    run(positionals.file, {
      threads: options.threads,
      onProgress: context.onProgress,
      signal: context.signal,
      ...(options.against !== undefined && { against: options.against }),
    }),
  render: describeChecks,
});
