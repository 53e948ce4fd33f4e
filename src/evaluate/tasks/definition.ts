import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { PithError } from '../../util/errors.ts';
import { nearestName } from '../../util/nearest-name.ts';
import { metricNames, metricRules, outputTypes, rankRule } from './metric-rules.ts';
import { decodeText, type TaskFile } from './text.ts';

const text = z.string();
const field = z.union([text, z.number().int()]).default('');
const paths = z.union([text, z.array(text).min(1)]);
const pattern = z.tuple([text, text]);

/** What an exact match leaves out of account. */
const matchOptions = {
  ignore_case: z.boolean().default(false),
  ignore_punctuation: z.boolean().default(false),
  ignore_numbers: z.boolean().default(false),
  regexes_to_ignore: z.array(text).default([]),
};

const filterStep = z.strictObject({
  function: z.enum(['regex', 'take_first', 'remove_whitespace', 'lowercase']),
  regex_pattern: text.default('#### (\\-?[0-9\\.\\,]+)'),
  group_select: z.number().int().default(0),
  fallback: text.default('[invalid]'),
});

/** The fields of a task file, in lm-evaluation-harness's names. */
const fields = {
  task: text.min(1),
  task_alias: text.optional(),
  output_type: z.enum(outputTypes),
  dataset_path: text.default('json'),
  dataset_kwargs: z
    .looseObject({ data_files: z.union([paths, z.record(text, paths)]).optional() })
    .default({}),
  training_split: text.nullish(),
  validation_split: text.nullish(),
  test_split: text.nullish(),
  fewshot_split: text.nullish(),
  num_fewshot: z.number().int().min(0).max(100).nullish(),
  fewshot_config: z.strictObject({ sampler: z.literal('first_n') }).optional(),
  description: text.default(''),
  doc_to_text: field,
  doc_to_target: z.union([text, z.number().int(), z.array(text)]),
  doc_to_choice: z.union([text, z.array(text).min(2), z.record(text, text)]).optional(),
  target_delimiter: text.default(' '),
  fewshot_delimiter: text.default('\n\n'),
  metric_list: z.array(z.looseObject({ metric: text, ...matchOptions })).min(1),
  generation_kwargs: z
    .looseObject({
      until: z.union([text.transform((only) => [only]), z.array(text)]).default(['\n\n']),
      max_gen_toks: z.number().int().positive().default(256),
      do_sample: z.literal(false).default(false),
    })
    .prefault({}),
  filter_list: z
    .array(z.strictObject({ name: text.min(1), filter: z.array(filterStep).min(1) }))
    .optional(),
  metadata: z.looseObject({ version: z.number().optional() }).default({}),
  /** Ours: regular expressions and their replacements, for texts and choices with spaces cut off. */
  preprocess: z.array(pattern).default([]),
  /** Ours: the documents of a retrieval task. */
  corpus_file: text.optional(),
  /** Ours: what of a document is embedded. */
  doc_to_document: text.default('{{title}} {{text}}'),
} as const;

const schema = z.object(fields);

/** A task as its file says. */
export type TaskDefinition = z.infer<typeof schema> & {
  /** Path of the YAML file, for messages. */
  readonly file: string;
};

/** A task is some ten lines; examples and rows lie in other files. */
const maxBytes = 2 ** 14;

/** Fields of lm-evaluation-harness that change no score here. */
const harmless = new Set([
  'tag',
  'group',
  'dataset_name',
  'should_decontaminate',
  'doc_to_decontamination_query',
  'repeats',
]);

/**
 * Reads a task file.
 *
 * @throws {@link PithError} `corrupt` with `file:line` for what is no YAML or has a wrong value, with the
 *   nearest name where a name is unknown; `unsupported` for fields that only Python can carry out.
 * @see lm-evaluation-harness 0.4.13, docs/task_guide.md. Differs: Python functions, `include` and
 *   sampled examples are refused; `preprocess`, `corpus_file` and `doc_to_document` are ours.
 */
export function parseTask(file: TaskFile): TaskDefinition {
  const { name } = file;
  if (file.bytes.length > maxBytes) {
    throw badTask(name, `${file.bytes.length} bytes are too many for a task, at most ${maxBytes}`);
  }
  const lines = new LineCounter();
  const document = parseYaml(file, lines);
  const place = (path: readonly PropertyKey[]) => `${name}:${lineOf(document, lines, path)}`;
  for (const problem of [...document.errors, ...document.warnings]) {
    const line = lines.linePos(problem.pos[0]).line;
    const python = problem.message.includes('!function');
    throw badTask(
      `${name}:${line}`,
      python ? pythonOnly : problem.message.split(/:?\n/, 1)[0]!,
      python,
    );
  }
  const values = plainValues(name, document);
  checkNames(values, place);
  const parsed = schema.safeParse(values);
  if (!parsed.success) throw explained(parsed.error.issues[0]!, values, place);
  checkMetrics(parsed.data, place);
  return { ...parsed.data, file: name };
}

function parseYaml(file: TaskFile, lineCounter: LineCounter): Document {
  try {
    return parseDocument(decodeText(file), { lineCounter });
  } catch (error) {
    if (error instanceof RangeError) throw badTask(file.name, 'it is nested too deep');
    throw error;
  }
}

function plainValues(name: string, document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw badTask(name, `it cannot be read as YAML: ${(error as Error).message}`);
  }
}

const pythonOnly = 'a Python function (!function) cannot be carried out';

type Place = (path: readonly PropertyKey[]) => string;

function checkNames(values: unknown, place: Place): void {
  for (const key of Object.keys(values ?? {})) {
    if (Object.hasOwn(fields, key) || harmless.has(key)) continue;
    if (['process_results', 'process_docs', 'include', 'use_prompt', 'gen_prefix'].includes(key)) {
      throw badTask(place([key]), `"${key}" is not supported`, true);
    }
    throw badTask(place([key]), `no field is called "${key}"${meant(key, Object.keys(fields))}`);
  }
}

function checkMetrics(task: z.infer<typeof schema>, place: Place): void {
  for (const [at, { metric }] of task.metric_list.entries()) {
    if (Object.hasOwn(metricRules[task.output_type], metric)) continue;
    if (task.output_type === 'retrieval' && rankRule(metric)) continue;
    const known = metricNames(task.output_type);
    const problem = `${task.output_type} has no metric "${metric}"${meant(metric, known)}`;
    throw badTask(place(['metric_list', at]), `${problem}; it has ${known.join(', ')}`);
  }
}

function explained(issue: z.core.$ZodIssue, values: unknown, place: Place): PithError {
  const path = issue.path.join('.');
  const given = issue.path.reduce<unknown>((value, key) => {
    return (value as Record<PropertyKey, unknown> | undefined)?.[key];
  }, values);
  if (given === undefined) return badTask(place(issue.path), `the field "${path}" is missing`);
  if (issue.code !== 'invalid_value' || typeof given !== 'string') {
    return badTask(place(issue.path), `"${path}": ${issue.message}`);
  }
  const known = issue.values.map(String);
  const problem = `${path} "${given}" is unknown${meant(given, known)}`;
  return badTask(place(issue.path), `${problem}; known are ${known.join(', ')}`);
}

function meant(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
}

function badTask(where: string, problem: string, pythonOnly = false): PithError {
  return new PithError(
    pythonOnly ? 'unsupported' : 'corrupt',
    `${where}: ${problem}.`,
    pythonOnly
      ? 'Say it with templates (Jinja), or with "preprocess": see tasks/hellaswag.yaml.'
      : 'See tasks/ for files of every kind.',
  );
}

/** Line of the value at a path, or of the nearest that encloses it. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
