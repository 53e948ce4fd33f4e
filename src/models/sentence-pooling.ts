import { z } from 'zod';
import { meta, type MetadataValue } from '../formats/gguf/metadata.ts';
import { readJson, type TokenizerFiles } from '../formats/tokenizer/files.ts';
import { PithError } from '../util/errors.ts';

/** The list of what a sentence-transformers model does, one module after another. */
export const modulesFile = 'modules.json';

const modulesSchema = z.array(z.object({ path: z.string(), type: z.string() }));
const poolingSchema = z.record(z.string(), z.unknown());

/** llama.cpp's numbers (enum llama_pooling_type) for what a module may be set to. */
const poolingTypes: Readonly<Record<string, number>> = { mean: 1, cls: 2, lasttoken: 3 };

/** Where the settings of the pooling module lie, for a folder that has one. */
export function poolingConfigFile(files: TokenizerFiles): string | undefined {
  const pooling = modulesOf(files).find(({ type }) => type.endsWith('Pooling'));
  return pooling && `${pooling.path}/config.json`;
}

/**
 * How a sentence-transformers folder makes one vector of a text's token vectors: `pooling_type`, and
 * `pooling_normalize` when the vector is scaled to length 1 (llama.cpp leaves that to its caller).
 *
 * @throws {@link PithError} `unsupported` for modules other than Transformer, Pooling and Normalize
 *   and for poolings that llama.cpp does not know.
 * @see _try_set_pooling_type in conversion/base.py, llama.cpp v0.5.0.
 */
export function poolingKeys(
  architecture: string,
  files: TokenizerFiles,
): readonly (readonly [string, MetadataValue])[] {
  const modules = modulesOf(files).map(({ type }) => type.split('.').at(-1)!);
  const other = modules.find((name) => !['Transformer', 'Pooling', 'Normalize'].includes(name));
  if (other) throw unsupported(`the module ${other}`);
  if (!modules.includes('Pooling')) return [];
  return [
    [`${architecture}.pooling_type`, meta.uint32(poolingType(files))],
    [`${architecture}.pooling_normalize`, meta.bool(modules.includes('Normalize'))],
  ];
}

function modulesOf(files: TokenizerFiles): z.infer<typeof modulesSchema> {
  return parse(modulesSchema, files, modulesFile) ?? [];
}

function poolingType(files: TokenizerFiles): number {
  const name = poolingConfigFile(files)!;
  const pooling = parse(poolingSchema, files, name) ?? {};
  const modes = Object.entries(pooling).flatMap(([key, value]) => {
    if (key === 'pooling_mode') return [String(value)];
    const mode = /^pooling_mode_(\w+?)(_tokens?)?$/.exec(key)?.[1];
    return mode !== undefined && value === true ? [mode] : [];
  });
  const [mode = 'none', ...more] = modes;
  const type = Object.hasOwn(poolingTypes, mode) ? poolingTypes[mode] : undefined;
  if (type === undefined || more.length > 0) {
    throw unsupported(`the pooling ${[mode, ...more].join(' + ')}`);
  }
  return type;
}

function parse<T>(schema: z.ZodType<T>, files: TokenizerFiles, name: string): T | undefined {
  const json = readJson(files, name);
  if (json === undefined) return undefined;
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new PithError(
    'corrupt',
    `${name}: ${parsed.error.issues[0]!.message}.`,
    `Download ${name} again.`,
  );
}

function unsupported(what: string): PithError {
  return new PithError(
    'unsupported',
    `The sentence-transformers folder asks for ${what}, which GGUF cannot express.`,
    'Known are Transformer, Pooling (mean, cls, lasttoken) and Normalize. Without modules.json the ' +
      'model converts as a plain encoder.',
  );
}
