import { parseBytes } from '../../../util/format-units.ts';
import { PithError } from '../../../util/errors.ts';

/** What a file may take, or must keep; `label` tells the files of one run apart. */
export type Budget =
  | { readonly kind: 'size'; readonly label: string; readonly bytes: number }
  | { readonly kind: 'bits'; readonly label: string; readonly bitsPerWeight: number }
  | { readonly kind: 'keep'; readonly label: string; readonly share: number };

/** A budget that says how large the file is. */
export type SizedBudget = Exclude<Budget, { readonly kind: 'keep' }>;

/** Budgets as they are written; exactly one of them counts. */
export interface GivenBudgets {
  /** Sizes of finished files: `3.2GB`. */
  readonly size?: readonly string[] | undefined;
  /** Bits per weight over all tensors, without header and vocabulary. */
  readonly bits?: number | undefined;
  /** Per cent of what the model can that the file must keep: `95%`. */
  readonly keep?: string | number | undefined;
}

/** A card shows eight versions: four files and a mix of llama.cpp beside each. */
const mostSizes = 4;

/**
 * Reads what was asked for.
 *
 * @throws PithError `usage` for none or several kinds of budgets, and for numbers that are none.
 */
export function parseBudgets({ size = [], bits, keep }: GivenBudgets): readonly Budget[] {
  const given = [size.length > 0, bits !== undefined, keep !== undefined];
  const kinds = given.filter(Boolean).length;
  if (kinds !== 1) throw notOne(kinds);
  if (bits !== undefined) return [bitsBudget(bits)];
  if (keep !== undefined) return [keepBudget(String(keep))];
  const sizes = size.map((text) => ({
    kind: 'size' as const,
    label: text.replaceAll(/\s/g, ''),
    bytes: parseBytes(text),
  }));
  const distinct = sizes.filter(
    ({ bytes }, at) => sizes.findIndex((other) => other.bytes === bytes) === at,
  );
  if (distinct.length <= mostSizes) return distinct;
  throw new PithError(
    'usage',
    `${distinct.length} sizes were asked for; one report shows at most ${mostSizes}.`,
    'Ask for the others in a second run with the same folder: its evidence is used again.',
  );
}

function bitsBudget(bits: number): Budget {
  if (bits > 0 && bits < 32) return { kind: 'bits', label: `${bits}bit`, bitsPerWeight: bits };
  throw new PithError(
    'usage',
    `A budget of ${bits} bits per weight makes no sense.`,
    'Give a number such as --bits 4.5.',
  );
}

function keepBudget(text: string): Budget {
  const percent = Number(/^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(text)?.[1]);
  if (percent > 0 && percent < 100)
    return { kind: 'keep', label: `keep${percent}`, share: percent / 100 };
  throw new PithError(
    'usage',
    `--keep ${text} is no percentage between 0 and 100.`,
    'Write what must be kept, for example --keep 95%.',
  );
}

function notOne(kinds: number): PithError {
  return new PithError(
    'usage',
    kinds === 0
      ? 'No budget is given: nothing says how small the file is to be.'
      : 'Only one of --size, --bits and --keep can be the budget.',
    'Give one: --size 3.2GB (or several, 2GB,3GB), --bits 4.5, or --keep 95%.',
  );
}
