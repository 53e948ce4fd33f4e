import { readFile } from 'node:fs/promises';
import { parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { parseBlockType } from '../../../compress/quantize/file-types.ts';
import type { EncodableType } from '../../../kernels/kernels.ts';
import { attempt } from '../../../storage/system-error.ts';
import { PithError } from '../../../util/errors.ts';
import { nearestName } from '../../../util/nearest-name.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is no SHA-256');
const positive = z.int().positive();
const texts = z.array(z.strictObject({ name: z.string().min(1), sha256: sha256.optional() }));

const schema = z.strictObject({
  format: z.literal('pith-shrink/1'),
  /** The model it was made for; the hash is of its keys and weights, whatever files they lie in. */
  model: z.strictObject({ name: z.string(), sha256: sha256.optional() }).optional(),
  budget: z.strictObject({
    size: z.array(z.string()).optional(),
    bits: z.number().optional(),
    keep: z.union([z.string(), z.number()]).optional(),
  }),
  calibration: z
    .strictObject({
      /** Absent for the text in the box. */
      data: texts.optional(),
      tokens: positive.optional(),
      context: positive.optional(),
    })
    .optional(),
  evaluation: z
    .strictObject({
      /** Texts and tasks. */
      data: texts,
      maxTokens: positive.optional(),
      taskData: z.array(z.string()).optional(),
      limit: positive.optional(),
    })
    .optional(),
  /** The types that may be chosen. */
  candidates: z.array(z.string()).min(1).optional(),
  /** Version of Pith that chose. */
  pith: z.string().optional(),
  /** What was chosen; by file name without the model's. */
  chosen: z
    .record(
      z.string(),
      z.strictObject({
        bytes: positive,
        klDivergence: z.number().nonnegative(),
        types: z.record(z.string(), z.string()),
      }),
    )
    .optional(),
});

/** Everything that is needed to shrink a model the same way again. */
export type ShrinkRecipe = Readonly<z.infer<typeof schema>>;

/** Types of the matrices of a file, and what was predicted of it. */
export interface ChosenFile {
  readonly types: ReadonlyMap<string, EncodableType>;
  readonly klDivergence: number;
}

/** By the budget's label. */
export type ChosenTypes = ReadonlyMap<string, ChosenFile>;

/**
 * Reads a recipe.
 *
 * @throws PithError `usage` naming the first field that is unknown or wrong; what reading the file throws.
 */
export async function readRecipe(path: string): Promise<ShrinkRecipe> {
  return parseRecipe(await attempt('read', path, () => readFile(path, 'utf8')), path);
}

/** @param source - What to call it in messages. */
export function parseRecipe(text: string, source: string): ShrinkRecipe {
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem) throw new PithError('usage', `${source} is not YAML: ${problem.message}`, example);
  const { data, error } = schema.safeParse(document.toJS());
  if (data) return data;
  throw new PithError('usage', `${source}: ${describe(error.issues[0]!)}`, example);
}

/** The types that a recipe holds for each file. */
export function chosenTypes({ chosen = {} }: ShrinkRecipe): ChosenTypes {
  const files = Object.entries(chosen).map(([label, { types, klDivergence }]) => {
    const own = Object.entries(types).map(([name, type]) => [name, parseBlockType(type)] as const);
    return [label, { types: new Map(own), klDivergence }] as const;
  });
  return new Map(files);
}

export function serializeRecipe(recipe: ShrinkRecipe): string {
  return `# Repeat it: pith shrink MODEL --recipe recipe.yaml -o FOLDER\n${stringify(recipe)}`;
}

const example = 'See the recipe.yaml that pith shrink writes beside its files.';

function describe(issue: z.core.$ZodIssue): string {
  const place = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys')
    return `${place === '' ? 'the recipe' : place}: ${issue.message}.`;
  const [key] = issue.keys;
  const known = fieldsAt(issue.path);
  const nearest = nearestName(key!, known);
  const name = [...issue.path, key].join('.');
  return `there is no field ${name}.${nearest ? ` Did you mean ${nearest}?` : ` Known: ${known.join(', ')}.`}`;
}

/** Names of the fields of the part of a recipe at `path`. */
function fieldsAt(path: readonly PropertyKey[]): string[] {
  let part: z.ZodType = schema;
  for (const key of path) part = childOf(part, key);
  const inner = unwrapped(part);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function childOf(part: z.ZodType, key: PropertyKey): z.ZodType {
  const inner = unwrapped(part);
  if (inner instanceof z.ZodObject) return inner.shape[String(key)] as z.ZodType;
  if (inner instanceof z.ZodArray) return inner.element as z.ZodType;
  return inner instanceof z.ZodRecord ? (inner.valueType as z.ZodType) : inner;
}

function unwrapped(part: z.ZodType): z.ZodType {
  return part instanceof z.ZodOptional ? (part.unwrap() as z.ZodType) : part;
}
