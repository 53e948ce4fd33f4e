import { PithError } from '../../util/errors.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const unitsAtOnce = 8192;
/** Smallest code point that needs 1, 2, 3 and 4 bytes (index 0 is not used). */
const smallestOfSize = [0, 0, 0x80, 0x800, 0x10000];

/**
 * Decodes UTF-8 without loss: a byte that is no part of valid UTF-8 becomes the lone surrogate
 * U+DC00 + byte, so that `encodeText` gives the same bytes back.
 *
 * GGUF asks for UTF-8, but vocabularies with raw bytes in their tokens are in circulation.
 *
 * @see Python PEP 383 ("surrogateescape"), the same mapping.
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return decodeEscaping(bytes);
  }
}

/**
 * Encodes as UTF-8; the inverse of `decodeText`.
 *
 * @throws {@link PithError} `unsupported` for a lone surrogate that stands for no byte.
 */
export function encodeText(text: string): Uint8Array {
  return /\p{Surrogate}/u.test(text) ? encodeEscaped(text) : encoder.encode(text);
}

function decodeEscaping(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length;) {
    const size = announcedSize(bytes[at]!);
    const point = size === 5 ? undefined : codePoint(bytes, at, size);
    if (point === undefined) units[length++] = 0xdc00 + bytes[at]!;
    else if (point <= 0xffff) units[length++] = point;
    else {
      units[length++] = 0xd7c0 + (point >> 10);
      units[length++] = 0xdc00 + (point & 0x3ff);
    }
    at += point === undefined ? 1 : size;
  }
  const parts: string[] = [];
  for (let at = 0; at < length; at += unitsAtOnce) {
    parts.push(String.fromCharCode(...units.subarray(at, Math.min(length, at + unitsAtOnce))));
  }
  return parts.join('');
}

/** The code point of the `size` bytes at `at`, or undefined when they are not well-formed UTF-8. */
function codePoint(bytes: Uint8Array, at: number, size: number): number | undefined {
  let point = size === 1 ? bytes[at]! : bytes[at]! & (0x7f >> size);
  for (let i = 1; i < size; i++) {
    const byte = bytes[at + i] ?? 0;
    if ((byte & 0xc0) !== 0x80) return undefined;
    point = (point << 6) | (byte & 0x3f);
  }
  if (point < smallestOfSize[size]! || point > 0x10ffff) return undefined;
  return point >= 0xd800 && point <= 0xdfff ? undefined : point;
}

/** Length that the first byte of a UTF-8 sequence announces; 5 for a byte that starts none. */
function announcedSize(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc0) return 5;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf8 ? 4 : 5;
}

function encodeEscaped(text: string): Uint8Array {
  const parts: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (point >= 0xdc80 && point <= 0xdcff) parts.push(point - 0xdc00);
    else if (point >= 0xd800 && point <= 0xdfff) throw loneSurrogate(point);
    else parts.push(...encoder.encode(character));
  }
  return Uint8Array.from(parts);
}

function loneSurrogate(point: number): PithError {
  return new PithError(
    'unsupported',
    `A text holds the lone surrogate U+${point.toString(16).toUpperCase()}, which UTF-8 cannot express.`,
    'Remove that half character from the tokenizer or the template it came from.',
  );
}
