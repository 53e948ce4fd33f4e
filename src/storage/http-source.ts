import type { ByteSource } from '../util/byte-source.ts';
import { checkRange } from '../util/byte-range.ts';
import { PithError, type ErrorCode } from '../util/errors.ts';

/** How to talk to the server. */
export interface HttpOptions {
  /** Replaces the global `fetch`, for a proxy or a test. */
  readonly fetch?: typeof fetch;
  /** Sent with every request, for example `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Stops the request under way and all later ones. */
  readonly signal?: AbortSignal;
  /** How long the server may stay silent. Default 30,000. */
  readonly timeoutMs?: number;
}

interface Remote {
  readonly url: string;
  readonly options: HttpOptions;
}

const statusMeanings: Record<number, readonly [ErrorCode, string]> = {
  401: ['no-permission', 'Give an access token in the authorization header.'],
  403: ['no-permission', 'Give an access token that may read this file.'],
  404: ['not-found', 'Check the address.'],
  410: ['not-found', 'Check the address.'],
};

/**
 * Opens a file on a web server for range reads; redirects are followed at every read.
 *
 * @throws {@link PithError} `not-found`, `no-permission` or `io` by status; `unsupported` when the
 * server does not serve byte ranges; `io` when the file changes between reads or the server stays
 * silent; `cancelled` when `options.signal` fires; `truncated` when an answer breaks off.
 * @see RFC 9110, section 14 (range requests).
 */
export async function openUrl(url: string, options: HttpOptions = {}): Promise<ByteSource> {
  const remote = { url, options };
  const first = await request(remote, 0, 1, async (response) => {
    const { total, etag } = rangeOf(remote, response, 0, 1);
    if (total > 0) await readBody(remote, response, 1);
    return { total, etag };
  });
  return {
    name: url,
    byteLength: first.total,
    async read(offset, length) {
      checkRange(url, first.total, offset, length);
      if (length === 0) return new Uint8Array(0);
      return request(remote, offset, length, (response, alive) => {
        const { total, etag } = rangeOf(remote, response, offset, length);
        if (total !== first.total || etag !== first.etag) throw changed(url, first.total, total);
        return readBody(remote, response, length, alive);
      });
    },
    async close() {},
  };
}

/** Asks for a range and hands the answer to `use`; `alive()` puts the time limit off. */
async function request<T>(
  { url, options }: Remote,
  offset: number,
  length: number,
  use: (response: Response, alive: () => void) => Promise<T>,
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? 30_000;
  const silence = new AbortController();
  const giveUp = () => silence.abort();
  let timer = setTimeout(giveUp, timeoutMs);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, timeoutMs);
  };
  const signals = options.signal ? [options.signal, silence.signal] : [silence.signal];
  const range = `bytes=${offset}-${offset + length - 1}`;
  const headers = { ...options.headers, range, 'accept-encoding': 'identity' };
  try {
    const send = options.fetch ?? fetch;
    const response = await send(url, { headers, signal: AbortSignal.any(signals) });
    try {
      return await use(response, alive);
    } finally {
      if (!response.bodyUsed) await response.body?.cancel();
    }
  } catch (error) {
    if (error instanceof PithError) throw error;
    if (options.signal?.aborted) throw new PithError('cancelled', `Reading ${url} was stopped.`);
    const problem = silence.signal.aborted
      ? `the server was silent for ${timeoutMs} ms`
      : reasonOf(error);
    const hint = 'Check the connection, then run the same command again.';
    throw new PithError('io', `Cannot read ${url}: ${problem}.`, hint, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** `fetch` hides what happened in `cause`. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message ? cause.message : message;
}

/** Checks that an answer is the range that was asked for; an empty file has the total 0. */
function rangeOf(
  { url }: Remote,
  response: Response,
  offset: number,
  length: number,
): { total: number; etag: string | null } {
  const contentRange = response.headers.get('content-range');
  const etag = response.headers.get('etag');
  if (response.status === 416 && contentRange === 'bytes */0') return { total: 0, etag };
  if (response.status === 200) throw noRanges(url, 'it sends the whole file instead');
  if (response.status !== 206) throw badStatus(url, response);
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange ?? '') ?? [];
  const total = Number(size);
  if (
    Number(first) !== offset ||
    Number(last) !== offset + length - 1 ||
    !Number.isSafeInteger(total)
  ) {
    const asked = `bytes ${offset}-${offset + length - 1}`;
    throw noRanges(url, `asked for ${asked}, it answers "${contentRange}"`);
  }
  return { total, etag };
}

/** Reads exactly `length` bytes, never more. */
async function readBody(
  { url }: Remote,
  response: Response,
  length: number,
  alive: () => void = () => {},
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const reader = response.body?.getReader();
  let got = 0;
  for (;;) {
    const chunk = (await reader?.read())?.value;
    if (chunk === undefined) break;
    alive();
    if (got + chunk.length > length) {
      await reader?.cancel();
      throw new PithError('io', `${url}: the server sent more than the ${length} bytes asked for.`);
    }
    bytes.set(chunk, got);
    got += chunk.length;
  }
  if (got === length) return bytes;
  const hint = 'Check the connection, then run the same command again.';
  throw new PithError(
    'truncated',
    `${url}: the answer ended after ${got} of ${length} bytes.`,
    hint,
  );
}

function noRanges(url: string, problem: string): PithError {
  return new PithError(
    'unsupported',
    `${url}: the server does not serve byte ranges, ${problem}.`,
    'Download the file first and give its path.',
  );
}

function badStatus(url: string, { status, statusText }: Response): PithError {
  const [code, hint] = statusMeanings[status] ?? ['io', 'Try again later.'];
  return new PithError(code, `${url}: the server answers ${status} ${statusText}.`, hint);
}

function changed(url: string, before: number, now: number): PithError {
  return new PithError(
    'io',
    `${url}: the file changed while it was read (${before} bytes before, ${now} now).`,
    'Run the same command again.',
  );
}
