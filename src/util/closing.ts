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
