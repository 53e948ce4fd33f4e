import type { Slab, Transcoder } from './transcoder.ts';

/** What a decoder reads back of a slab once it is stored as its new type, `[rows, columns]`. */
export async function roundTrip(
  transcoder: Transcoder,
  slab: Slab,
): Promise<Float32Array<ArrayBuffer>> {
  const { to: from, columns } = slab;
  const encoded = await transcoder.transcode(slab);
  const decoded = await transcoder.transcode({ from, to: 'F32', columns, bytes: encoded.out });
  const values = new Float32Array(decoded.out.slice().buffer);
  encoded.release();
  decoded.release();
  return values;
}

/** The same of weights that are at hand as numbers, `[rows, columns]`. */
export function roundTripValues(
  transcoder: Transcoder,
  values: Float32Array,
  slab: Omit<Slab, 'from' | 'bytes'>,
): Promise<Float32Array<ArrayBuffer>> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return roundTrip(transcoder, { ...slab, from: 'F32', bytes });
}
