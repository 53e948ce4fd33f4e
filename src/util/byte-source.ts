/**
 * Random access to bytes that lie in memory, in a file or behind HTTP ranges.
 *
 * `read` returns exactly `length` bytes or throws a `PithError` (`truncated` past the end, `io`
 * otherwise); it may return a view, which the caller must not modify. `into`, of at least that length,
 * may be used instead of new memory: the result then is a view of it.
 */
export interface ByteSource {
  /** What to call the source in messages: a path or a URL. */
  readonly name: string;
  readonly byteLength: number;
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Where a writer streams bytes to, in order. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}
