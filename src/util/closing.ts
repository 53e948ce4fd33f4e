/** Runs `open`, which takes over `resource`; closes the resource when it throws. */
export async function closeOnFailure<T>(
  resource: { close(): Promise<void> },
  open: () => Promise<T>,
): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await resource.close();
    throw error;
  }
}

/** Things to close, the last first. */
export class OpenThings {
  readonly #things: { close(): Promise<void> }[] = [];

  add<T extends { close(): Promise<void> }>(thing: T): T {
    this.#things.push(thing);
    return thing;
  }

  /** Closes all of them, also when one fails; throws the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const thing of this.#things.splice(0).toReversed())
      await thing.close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }
}
