import { requestOfRecipe } from '../recipes/shrink/recipe/from-recipe.ts';
import type { ShrinkRequest } from '../recipes/shrink/request.ts';
import { predictShrink, shrink as run } from '../recipes/shrink/shrink.ts';
import { commandLine } from './command-line.ts';
import { describePrediction, describeShrink } from './describe-shrink.ts';
import { defineCommand } from './framework/command.ts';
import { predictionOutput, shrinkOutput } from './shrink-output.ts';
import { threadsOption } from './work-options.ts';

/** `pith shrink`: the best file of a size, with proof. */
export const shrink = defineCommand({
  name: 'shrink',
  summary: 'Make the best model that fits: a type for every matrix, from evidence, with proof.',
  description:
    'Measures on text which weights matter, predicts what each type would cost each matrix, chooses the\n' +
    'types that lose least in the bytes there are, writes the file, checks it, and measures it as it runs\n' +
    'in llama.cpp, beside the llama.cpp mix of nearest size. FOLDER gets the .gguf files, report.html and\n' +
    '.json, recipe.yaml (to repeat it), tensor-types.txt (for llama-quantize) and evidence.gguf, which\n' +
    'serves further sizes. An interrupted run continues when the same command is given again.\n\n' +
    'The budget is one of: --size, of the finished file, several at once with commas; --bits, per weight\n' +
    'over all tensors; --keep, the smallest file that keeps so much of the score in every task of --eval\n' +
    '(of texts: finds so often the same next token likeliest), at the lower end of the 95 % interval.',
  examples: [
    'pith shrink sample --bits 3.4 -o small',
    'pith shrink ./my-model --size 2GB,3GB,4GB --data mine.txt --eval held-out.txt -o small',
    'pith shrink ./my-model --keep 95% --eval task.yaml -o small',
    'pith shrink ./my-model --size 3.2GB --dry-run -o small',
  ],
  positionals: { model: { description: 'A Hugging Face folder, a .gguf file, or sample.' } },
  options: {
    size: { type: 'string', value: 'BYTES[,...]', description: 'Sizes of files, as 3.2GB.' },
    bits: { type: 'number', value: 'B', min: 0, description: 'Bits per weight, as 4.5.' },
    keep: { type: 'string', value: 'PERCENT', description: 'What must be kept, as 95%.' },
    data: { type: 'string', value: 'FILE', multiple: true, description: 'Calibration text.' },
    tokens: {
      type: 'integer',
      value: 'N',
      min: 1,
      description: 'Take no more than N of its tokens.',
    },
    context: {
      type: 'integer',
      value: 'N',
      min: 2,
      description: 'Tokens of a window. Default 512, or what the model was trained on if less.',
    },
    eval: {
      type: 'string',
      value: 'FILE|TASK',
      multiple: true,
      description: 'Text or task (.yaml) to measure on; sample, the text in the box, by default.',
    },
    'task-data': {
      type: 'string',
      value: 'FILE',
      multiple: true,
      description: 'Rows of the one task of --eval: files or a folder.',
    },
    limit: { type: 'integer', value: 'N', min: 1, description: "Ask a task's first N rows." },
    'max-tokens': {
      type: 'integer',
      value: 'N',
      min: 1,
      description: 'Measure on N tokens at most.',
    },
    recipe: {
      type: 'string',
      value: 'FILE',
      description: 'A recipe.yaml; options beside it count more than what it says.',
    },
    'no-codebooks': {
      type: 'boolean',
      description: 'None of the IQ2 and IQ3 types, which some processors decode slowly.',
    },
    types: { type: 'string', value: 'TYPE,...', description: 'Choose among these block types.' },
    output: {
      type: 'string',
      short: 'o',
      value: 'FOLDER',
      required: true,
      description: 'Where everything goes.',
    },
    'dry-run': {
      type: 'boolean',
      description: 'Predict size and KL divergence; keep the evidence, write no model.',
    },
    'no-speed': { type: 'boolean', description: 'No speed and energy in the report.' },
    cache: {
      type: 'string',
      value: 'FOLDER',
      description: "Where scores are kept. Default: the system's place for caches.",
    },
    threads: threadsOption('Threads that compute.'),
    force: { type: 'boolean', short: 'f', description: 'Replace the results of an earlier run.' },
  },
  isolated: true,
  async run(context, { positionals: { model }, options }) {
    const { recipe, output, cache, threads, force, keep, bits, tokens } = options;
    const asked: ShrinkRequest = {
      model,
      size: options.size?.split(','),
      bits,
      keep,
      tokens,
      context: options.context,
      data: given(options.data),
      evaluation: given(options.eval),
      maxTokens: options['max-tokens'],
      taskData: given(options['task-data']),
      limit: options.limit,
      speed: !options['no-speed'],
      codebooks: options['no-codebooks'] ? false : undefined,
      types: options.types?.split(',').map((type) => type.trim()),
    };
    const found = recipe === undefined ? undefined : await requestOfRecipe(recipe, asked);
    const { onProgress, signal } = context;
    const target = { output, cache, threads, force, command: commandLine(), onProgress, signal };
    const work = options['dry-run'] ? predictShrink : run;
    const report = await work(found?.request ?? asked, target, found?.given);
    for (const note of report.notes) context.note(`note: ${note}`);
    for (const warning of report.warnings) context.note(`warning: ${warning}`);
    return 'card' in report ? shrinkOutput(report) : predictionOutput(report);
  },
  render: (report) => ('card' in report ? describeShrink(report) : describePrediction(report)),
});

function given(list: readonly string[]): readonly string[] | undefined {
  return list.length > 0 ? list : undefined;
}
