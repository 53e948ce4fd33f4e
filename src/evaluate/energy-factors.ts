import { z } from 'zod';
import { PithError } from '../util/errors.ts';

const factor = <T extends z.ZodType>(value: T) =>
  z.strictObject({ value, unit: z.string(), source: z.string(), license: z.string() });
const positive = z.number().positive();
const share = z.number().min(0).max(1);

/** Every factor, and what values it may have. */
const schema = z.strictObject({
  gramsCo2ePerKwh: factor(z.number().nonnegative()),
  pricePerKwh: factor(z.number().nonnegative()),
  currency: factor(z.string().min(1)),
  overhead: factor(z.number().min(1)),
  processorWatts: factor(positive),
  processorLoad: factor(share),
  memoryWatts: factor(z.number().nonnegative()),
});

/**
 * Numbers that turn time and energy into emissions and money, each with its unit, source and licence:
 * factors/energy.json, of which a user may replace any.
 */
export type EnergyFactors = z.infer<typeof schema>;

const byName = z.record(z.string(), z.unknown(), 'it names no factor');
const partial = z.looseObject({ value: z.unknown(), source: z.string().optional() });

/**
 * Puts a user's numbers over the given ones: `{ name: value }` or `{ name: { value, source } }`.
 *
 * @param file - Its name, for messages.
 * @throws PithError `usage` for an unknown name or an impossible value, with what is possible.
 */
export function overrideFactors(
  factors: EnergyFactors,
  replacements: unknown,
  file: string,
): EnergyFactors {
  const merged: Record<string, unknown> = { ...factors };
  for (const [name, given] of Object.entries(check(byName, replacements, file))) {
    if (!Object.hasOwn(factors, name)) {
      const known = Object.keys(factors).join(', ');
      throw new PithError(
        'usage',
        `${file}: there is no factor "${name}".`,
        `There are: ${known}.`,
      );
    }
    const whole = partial.safeParse(given);
    const { value, source = file } = whole.success ? whole.data : { value: given };
    const { unit } = factors[name as keyof EnergyFactors];
    merged[name] = { value, unit, source, license: 'the user’s own number' };
  }
  return check(schema, merged, file);
}

/** Checks the factors that come with the package. */
export function parseFactors(json: unknown, file: string): EnergyFactors {
  return check(schema, json, file);
}

function check<T>(expected: z.ZodType<T>, value: unknown, file: string): T {
  const result = expected.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.join('.') || 'the file';
  throw new PithError(
    'usage',
    `${file}: ${place}: ${issue?.message}.`,
    'Write lines such as "gramsCo2ePerKwh: 56".',
  );
}
