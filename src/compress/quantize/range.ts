import type { Slab, TranscodedSlab, Transcoder } from '../../kernels/transcoder.ts';
import { PithError } from '../../util/errors.ts';
import type { PlannedTensor } from './quantization-plan.ts';

/** Numbers from here on round to infinity in binary16, which F16 weights and most scales are. */
const beyondHalf = 65520;
/** A slab that lost more than this share of its norm did not keep its largest weight. */
const mostLost = 0.5;

/** Whether a slab can hold a weight that binary16 cannot: one number decides for nearly every slab. */
export function mayOverflow({ squaredNorm }: TranscodedSlab): boolean {
  return squaredNorm >= beyondHalf ** 2;
}

/**
 * Refuses a slab whose largest weight its new type cannot express: the encoders saturate, so that
 * the file would be finite and wrong.
 *
 * @throws {@link PithError} `unsupported` with tensor, row, column, weight and a type that can.
 */
export async function requireInRange(
  { name, to }: PlannedTensor,
  found: { readonly slab: Slab; readonly first: number; readonly result: TranscodedSlab },
  transcoder: Transcoder,
): Promise<void> {
  const { slab, first, result } = found;
  if (to === 'F32' || to === 'BF16') return;
  const decoded = await transcoder.transcode({ ...slab, to: 'F32' });
  const { at, value } = largest(new Float32Array(decoded.out.slice().buffer));
  decoded.release();
  const isLost = result.squaredError > mostLost ** 2 * result.squaredNorm;
  if (!isLost && !(to === 'F16' && Math.abs(value) >= beyondHalf)) return;
  result.release();
  const place = `row ${first + Math.floor(at / slab.columns)}, column ${at % slab.columns}`;
  throw new PithError(
    'unsupported',
    `${name} holds ${value.toPrecision(6)} in ${place}, which ${to} cannot express.`,
    `Such a weight is rarely meant. To keep it: --tensor '${name}=BF16'`,
  );
}

function largest(values: Float32Array): { readonly at: number; readonly value: number } {
  let at = 0;
  for (const [place, value] of values.entries()) {
    if (Math.abs(value) > Math.abs(values[at]!)) at = place;
  }
  return { at, value: values[at] ?? 0 };
}
