import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import {
  overrideFactors,
  parseFactors,
  type EnergyFactors,
} from '../../evaluate/energy-factors.ts';
import { decodeFile } from '../../evaluate/documents.ts';
import { attempt } from '../../storage/system-error.ts';
import { PithError } from '../../util/errors.ts';

/** The numbers in the box, seen from src/recipes/bench/ as from dist/recipes/bench/. */
const packaged = fileURLToPath(new URL('../../../factors/energy.json', import.meta.url));

/**
 * The factors of the package, with a user's YAML or JSON file over them.
 *
 * @throws PithError `usage` when that file is not YAML, or says what is not a factor; `corrupt` when it is
 *   not UTF-8; `not-found`.
 */
export async function loadFactors(file?: string): Promise<EnergyFactors> {
  const factors = parseFactors(await readYaml(packaged), packaged);
  return file === undefined ? factors : overrideFactors(factors, await readYaml(file), file);
}

async function readYaml(path: string): Promise<unknown> {
  const text = decodeFile(await attempt('read', path, () => readFile(path)), path);
  try {
    return parse(text);
  } catch (cause) {
    // The place in the file follows as lines of it.
    const [message] = (cause as Error).message.split(/:?\n/, 1);
    const hint = 'Write lines such as "gramsCo2ePerKwh: 56".';
    throw new PithError('usage', `${path} is not YAML: ${message}.`, hint, { cause });
  }
}
