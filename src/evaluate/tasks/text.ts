import { badRow } from './row.ts';

/** Bytes of a file with what to call it in messages. */
export interface TaskFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Text of a UTF-8 file, without a byte order mark.
 *
 * @throws {@link PithError} `corrupt` with `file:line` of the first line that is not UTF-8.
 */
export function decodeText({ name, bytes }: TaskFile): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const place = firstInvalidLine(bytes);
    const utf16 =
      (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const problem = utf16 ? 'the file is UTF-16, not UTF-8' : 'the line is not UTF-8';
    throw badRow(
      `${name}:${place}`,
      problem,
      'Save the whole file as UTF-8, for example with iconv.',
    );
  }
}

function firstInvalidLine(bytes: Uint8Array): number {
  let start = 0;
  for (let line = 1; ; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    if (newline < 0) return line;
    start = newline + 1;
  }
}
