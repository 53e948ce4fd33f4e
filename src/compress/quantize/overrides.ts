import type { EncodableType } from '../../kernels/kernels.ts';
import { PithError } from '../../util/errors.ts';
import { parseBlockType } from './file-types.ts';

/** One `--tensor 'regex=TYPE'`: the type of every tensor whose name the pattern matches anywhere. */
export interface TensorOverride {
  readonly pattern: RegExp;
  readonly type: EncodableType;
}

const longestPattern = 300;

/** With so few, none of a group, the worst pattern takes some 30 ms on a name of 63 letters. */
const mostRepetitions = 4;

/**
 * Reads one override, for example `attn_v=Q6_K` or `blk\.(0|1)\.ffn_.*=Q8_0`.
 *
 * @throws {@link PithError} `usage` when a part is missing, the pattern is no regular expression, it
 *   repeats so much that matching could take for ever, or the type is none; `unsupported` when Pith cannot write the type.
 */
export function parseOverride(text: string): TensorOverride {
  const separator = text.lastIndexOf('=');
  const source = text.slice(0, Math.max(separator, 0));
  const type = text.slice(separator + 1);
  if (separator < 1 || type === '' || source.length > longestPattern) {
    throw new PithError(
      'usage',
      `${JSON.stringify(text.slice(0, longestPattern))} is no tensor override.`,
      "Write a pattern and a type, as in --tensor 'attn_v=Q6_K'.",
    );
  }
  requireQuickMatch(source);
  return { pattern: compile(source), type: parseBlockType(type) };
}

function compile(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (cause) {
    throw new PithError(
      'usage',
      `${JSON.stringify(source)} is no regular expression: ${(cause as Error).message}.`,
      'Escape special characters with a backslash, as in blk\\.0\\.attn_v.',
      { cause },
    );
  }
}

/** Refuses patterns that JavaScript's backtracking matcher may try for longer than anyone waits. */
function requireQuickMatch(source: string): void {
  const bare = source
    .replaceAll(/\\./g, '_')
    .replaceAll(/\[[^\]]*\]/g, '_')
    .replaceAll(/\(\?(?:[:=!]|<[=!]|<\w+>)/g, '(');
  const repetitions = bare.match(/(?:[*+?]|\{\d)/g)?.length ?? 0;
  const repeatsGroup = /\)(?:[*+]|\{\d)/.test(bare);
  if (repetitions <= mostRepetitions && !repeatsGroup) return;
  throw new PithError(
    'usage',
    `${JSON.stringify(source)} has ${repetitions} repetitions${repeatsGroup ? ', one of a group' : ''}; ` +
      `at most ${mostRepetitions} (* + ? {n}) and none of a group are matched.`,
    'Write several --tensor options instead of one.',
  );
}
