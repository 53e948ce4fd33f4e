import { basename } from 'node:path';
import { openLlama, type GenerateOptions, type LlamaEngine } from '../runtime/llama.ts';
import { PithError } from '../util/errors.ts';
import { startConversation, type Conversation } from './conversation.ts';
import { defineCommand, type CommandContext } from './framework/command.ts';
import { describeError } from './framework/report-error.ts';
import { runnableModel } from './model-reference.ts';
import { engineOf, engineOptions, samplingOf, samplingOptions } from './sampling-options.ts';
import { contextNote, statistics } from './statistics.ts';
import { readUserLines, type UserLines } from './user-lines.ts';

/** `pith chat`: a conversation with a GGUF model, on a terminal or line by line from a pipe. */
export const chat = defineCommand({
  name: 'chat',
  summary: 'Talk with a GGUF model.',
  description:
    "Uses the model's own chat template. A text model has none: it continues your text.\n" +
    'Lines: /clear begins again, /exit or Ctrl-D leaves. Ctrl-C stops an answer; twice leaves.',
  examples: [
    'pith chat model.gguf',
    'pith chat model.gguf --system "Answer in one sentence."',
    'echo "Why is the sky blue?" | pith chat model.gguf --json',
  ],
  positionals: { model: { description: 'A .gguf file.' } },
  options: {
    system: { type: 'string', value: 'TEXT', description: 'What the model is told at the start.' },
    tokens: {
      type: 'integer',
      short: 'n',
      value: 'N',
      default: 1024,
      min: 1,
      description: 'At most this many tokens an answer.',
    },
    ...samplingOptions,
    ...engineOptions,
  },
  isolated: true,
  async run(context, { positionals, options }) {
    const path = await runnableModel(positionals.model);
    const engine = await openLlama(path, { ...engineOf(options), signal: context.signal });
    try {
      const conversation = startConversation(engine, options.system);
      if (engine.chatTemplate === undefined) context.note(textModelNote(basename(path)));
      const settings = { ...samplingOf(options), maxTokens: options.tokens };
      await talk(context, { engine, conversation, settings });
      return { messages: conversation.messages };
    } finally {
      await engine.close();
    }
  },
});

interface Talk {
  readonly engine: LlamaEngine;
  readonly conversation: Conversation;
  readonly settings: GenerateOptions;
}

function textModelNote(file: string): string {
  return (
    `${file} has no chat template: it is a text model, it continues your text.\n` +
    `For a single text: pith run ${file} -p "Once upon a time"`
  );
}

async function talk(context: CommandContext, { engine, conversation, settings }: Talk) {
  const lines = readUserLines(context);
  try {
    for await (const line of lines) {
      if (line === '/exit') return;
      if (line === '/clear') {
        conversation.clear();
        context.note('Begun again.');
      } else if (line.trim() !== '') {
        await answerOrExplain(context, { engine, conversation, settings }, { lines, line });
      }
      if (context.signal.aborted) throw new PithError('cancelled', 'Stopped.');
    }
  } finally {
    lines.close();
  }
}

/** Answers a line; on a terminal a full context is explained and the conversation goes on. */
async function answerOrExplain(
  context: CommandContext,
  { engine, conversation, settings }: Talk,
  { lines, line }: { readonly lines: UserLines; readonly line: string },
): Promise<void> {
  const onText = (text: string) => context.write(text);
  try {
    const generation = await lines.during((signal) =>
      conversation.say(line, { ...settings, signal, onText }),
    );
    context.write('\n');
    const note = contextNote(engine, generation);
    if (note !== undefined) context.note(note);
    if (lines.interactive) context.note(statistics(engine, generation));
  } catch (error) {
    if (!lines.interactive || !(error instanceof PithError) || error.code !== 'usage') throw error;
    context.note(describeError(error, false));
  }
}
