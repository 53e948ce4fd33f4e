import { availableParallelism } from 'node:os';
import { evaluate as run } from '../recipes/evaluate/evaluate.ts';
import { describeEvaluation } from './describe-evaluation.ts';
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
      value: 'FILE',
      required: true,
      multiple: true,
      description: 'Text to measure on; sample is the text in the box.',
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
    const { data, against, engine, stride, cache, threads, 'max-tokens': maxTokens } = options;
    const report = await run(
      {
        model: positionals.model,
        data,
        engine,
        ...(against !== undefined && { against }),
        ...(options.context !== undefined && { context: options.context }),
        ...(stride !== undefined && { stride }),
        ...(maxTokens !== undefined && { maxTokens }),
      },
      {
        threads,
        onProgress: context.onProgress,
        signal: context.signal,
        ...(cache !== undefined && { cache }),
      },
    );
    for (const note of report.notes) context.note(`note: ${note}`);
    return report;
  },
  render: describeEvaluation,
});
