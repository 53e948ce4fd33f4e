import { constants, open, type FileHandle } from 'node:fs/promises';
import type { ByteSource } from '../util/byte-source.ts';
import { checkRange } from '../util/byte-range.ts';
import { PithError } from '../util/errors.ts';
import { attempt, systemError } from './system-error.ts';

/**
 * Opens a file for positioned reads; any number of reads may be under way at once.
 *
 * `byteLength` is the size at opening. The caller closes the source.
 *
 * @throws {@link PithError} `not-found`, `no-permission` or `io` (also for a pipe, without waiting for
 * its other end); `read` throws `unsupported` when the bytes do not fit into memory, `truncated` past the
 * end, also when the file has shrunk since.
 */
export async function openFile(path: string): Promise<ByteSource> {
  const handle = await attempt('open', path, () => open(path, readWithoutWaiting));
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
    if (!stats.isFile()) throw notPlain(path);
    return fileSource(handle, path, stats.size);
  } catch (error) {
    await handle.close();
    throw systemError(error, 'open', path);
  }
}

/** A named pipe would block until somebody writes to it; Windows has no such flag. */
const readWithoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

function notPlain(path: string): PithError {
  return new PithError(
    'io',
    `Cannot open ${path}: it is not a file but a pipe, socket or device.`,
    'Save what comes out of it as a file first: models are read from any place in them.',
  );
}

function fileSource(handle: FileHandle, path: string, byteLength: number): ByteSource {
  return {
    name: path,
    byteLength,
    async read(offset, length, into) {
      checkRange(path, byteLength, offset, length);
      const bytes = into?.subarray(0, length) ?? allocate(path, length);
      const got = await attempt('read', path, () => readFully(handle, bytes, offset));
      if (got < length) checkRange(path, offset + got, offset, length);
      return bytes;
    },
    close: () => handle.close(),
  };
}

function allocate(path: string, length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new PithError(
      'unsupported',
      `${path}: ${length} bytes at once do not fit into memory.`,
      'No model has rows of that size: the file is damaged or hostile.',
      { cause },
    );
  }
}

/** The largest read that Node takes is 2^31 − 1 bytes. */
const bytesAtOnce = 2 ** 30;

/** Fills `bytes` from `offset`; returns how many bytes there were. */
async function readFully(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<number> {
  let got = 0;
  while (got < bytes.length) {
    const length = Math.min(bytes.length - got, bytesAtOnce);
    const { bytesRead } = await handle.read(bytes, got, length, offset + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return got;
}
