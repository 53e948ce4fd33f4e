/**
 * The result of work that cannot be stopped, or an error as soon as `signal` is aborted; the work then
 * goes on and its result is dropped.
 *
 * @param cancel - Called once when that happens: cleans up, and makes the error.
 */
export function orCancelled<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  cancel: () => Error,
): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(cancel());
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    work.finally(() => signal.removeEventListener('abort', stop)).then(resolve, reject);
  });
}
