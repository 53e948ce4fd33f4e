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

  async close(): Promise<void> {
    for (const thing of this.#things.splice(0).toReversed()) await thing.close();
  }
}
