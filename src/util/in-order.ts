/**
 * Runs `work` on up to `window` items at once and yields the results in the items' order.
 *
 * Stopping early (an error, or the consumer leaving the loop) waits for the work already started,
 * so that nothing runs on behind the caller's back.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  window: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const started: Promise<Result>[] = [];
  const iterator = items[Symbol.iterator]();
  let next = iterator.next();
  try {
    while (!next.done || started.length > 0) {
      while (!next.done && started.length < window) {
        const result = work(next.value);
        // Awaited in its turn; until then a failure must not count as unhandled.
        result.catch(() => undefined);
        started.push(result);
        next = iterator.next();
      }
      yield await started.shift()!;
    }
  } finally {
    await Promise.allSettled(started);
  }
}
