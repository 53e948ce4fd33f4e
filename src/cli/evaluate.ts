import type { EvaluateReport } from '../recipes/evaluate/evaluate.ts';
import { describeEvaluation } from './describe-evaluation.ts';
import { describeTasks } from './describe-tasks.ts';
import { defineCommand } from './framework/command.ts';
import { threadsOption } from './work-options.ts';

/** `pith evaluate`: how well a model predicts text, and what it lost against another. */
export const evaluate = defineCommand({
  name: 'evaluate',
  summary: 'Measure perplexity, and what a model lost against the one it was made from.',
  description:
    'Text is cut into windows inside each document, so that every token is scored once. A .jsonl file\n' +
    'has a document a row ("text"); other files are cut at lines <|endoftext|> or at the titles of\n' +
    'WikiText. Every figure has a 95 % interval, clustered by document; against a model, of the paired\n' +
    "differences. The base model's scores are kept for the next candidate; an interrupted evaluation\n" +
    'continues when the same command is given again.\n\n' +
    'A TASK is a YAML file in the form of lm-evaluation-harness beside its rows (.jsonl or .csv), or one\n' +
    'of the box: multiple choice (arc, blimp, hellaswag, piqa), classification (sst2), cloze (lambada),\n' +
    'bias (crows_pairs), generation (gsm8k, --engine llama) and retrieval, by models that make vectors.\n\n' +
    'ENGINE onnx computes with the dequantized weights, llama runs the file as it is in llama.cpp, both\n' +
    'does both and says how far they disagree.',
  examples: [
    'pith evaluate sample --data sample',
    'pith evaluate sample-q4_k_m.gguf --against sample --data sample',
    'pith evaluate model.gguf --against ./my-model --data text.txt --engine both --json',
    'pith evaluate model.gguf --against ./my-model --data blimp --task-data ./blimp --engine llama',
  ],
  positionals: { model: { description: 'A Hugging Face folder, a .gguf file, or sample.' } },
  options: {
    data: {
      type: 'string',
      value: 'FILE|TASK',
      required: true,
      multiple: true,
      description: 'Text, or a task: .yaml, or a name; sample is the text in the box.',
    },
    'task-data': {
      type: 'string',
      value: 'PATH',
      multiple: true,
      description:
        'Rows of the task, instead of those its file names: a file, or a folder of them.',
    },
    limit: {
      type: 'integer',
      value: 'N',
      min: 1,
      description: 'Ask the first N rows of each data file of a task.',
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
      description:
        'Tokens of a window. Default 512, for tasks as long as their texts; never more than trained.',
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
    threads: threadsOption('Threads that compute.'),
  },
  isolated: true,
  async run(context, { positionals: { model }, options }) {
    const { evaluateData } = await import('../recipes/evaluate/evaluate-data.ts');
    const { 'task-data': taskData, 'max-tokens': maxTokens, cache, threads, ...others } = options;
    const { onProgress, signal } = context;
    const report = await evaluateData(
      { ...others, model, taskData, maxTokens },
      { threads, cache, onProgress, signal },
    );
    const ofTasks = Object.entries(report.tasks ?? {}).flatMap(([name, task]) =>
      task.notes.map((note) => `${name}: ${note}`),
    );
    for (const note of [...report.notes, ...ofTasks]) context.note(`note: ${note}`);
    return report;
  },
  render: (report) =>
    [
      ...('perplexity' in report ? [describeEvaluation(report as EvaluateReport)] : []),
      ...(report.tasks ? [describeTasks(report.tasks)] : []),
    ].join('\n\n'),
});
