import { availableParallelism } from 'node:os';
import { evaluate as run } from '../recipes/evaluate/evaluate.ts';
import { evaluateTasks, isTask } from '../recipes/evaluate/tasks.ts';
import { describeEvaluation, describeTasks } from './describe-evaluation.ts';
import { defineCommand } from './framework/command.ts';

/** `pith evaluate`: how well a model predicts text, and what it lost against another. */
export const evaluate = defineCommand({
  name: 'evaluate',
  summary: 'Measure perplexity, and what a model lost against the one it was made from.',
  description:
    'Text is cut into windows inside each document, so that every token is scored once. A .jsonl file\n' +
    'has a document a row ("text"); other files are cut at lines <|endoftext|> or at the titles of\n' +
    'WikiText. Every figure has a 95 % interval, clustered by document; against a model, of the paired\n' +
    "differences. The base model's scores are kept for the next candidate; an interrupted evaluation\n" +
    'continues when the same command is given again.\n' +
    'ENGINE onnx computes with the dequantized weights, llama runs the file as it is in llama.cpp, both\n' +
    'does both and says how far they disagree.',
  examples: [
    'pith evaluate sample --data sample',
    'pith evaluate sample-q4_k_m.gguf --against sample --data sample',
    'pith evaluate model.gguf --against ./my-model --data text.txt --engine both --json',
  ],
  positionals: { model: { description: 'A Hugging Face folder, a .gguf file, or sample.' } },
  options: {
    data: {
      type: 'string',
      value: 'FILE|TASK',
      required: true,
      multiple: true,
      description: 'Text, or a task (.yaml); sample is the text in the box.',
    },
    against: {
      type: 'string',
      value: 'MODEL',
      description: 'The model it was made from: a folder, a .gguf file, or sample.',
    },
    engine: {
      type: 'string',
      value: 'ENGINE',
      default: 'onnx',
      choices: ['onnx', 'llama', 'both'],
      description: 'What computes.',
    },
    context: {
      type: 'integer',
      value: 'N',
      min: 2,
      description: 'Tokens of a window. Default 512, or what the model was trained on if less.',
    },
    stride: {
      type: 'integer',
      value: 'N',
      min: 1,
      description: 'Tokens that a window scores; the others are context. Default half.',
    },
    'max-tokens': {
      type: 'integer',
      value: 'N',
      min: 1,
      description: 'Score no more than the first N tokens.',
    },
    cache: {
      type: 'string',
      value: 'FOLDER',
      description: "Where scores are kept. Default: the system's place for caches.",
    },
    threads: {
      type: 'integer',
      value: 'N',
      default: availableParallelism(),
      min: 1,
      max: 512,
      description: 'Threads that compute.',
    },
  },
  isolated: true,
  async run(context, { positionals, options }) {
    const { data, engine, cache, threads, 'max-tokens': maxTokens, ...others } = options;
    const { against, stride, context: length } = others;
    const request = {
      model: positionals.model,
      engine,
      against,
      stride,
      context: length,
      maxTokens,
    };
    const { onProgress, signal } = context;
    const settings = { threads, cache, onProgress, signal };
    const texts = data.filter((path) => !isTask(path));
    const files = data.filter(isTask);
    const isText = texts.length > 0 || files.length === 0;
    const measured = isText ? await run({ ...request, data: texts }, settings) : undefined;
    const tasks =
      files.length > 0 ? await evaluateTasks({ ...request, data: files }, settings) : undefined;
    const notes = Object.values(tasks ?? {}).flatMap((task) => task.notes);
    for (const note of [...(measured?.notes ?? []), ...notes]) context.note(`note: ${note}`);
    const head = measured ?? { model: positionals.model, engine };
    return { ...head, data, ...(tasks && { tasks }) };
  },
  render: (report) =>
    [
      ...('perplexity' in report ? [describeEvaluation(report)] : []),
      ...(report.tasks ? [describeTasks(report.tasks)] : []),
    ].join('\n\n'),
});
