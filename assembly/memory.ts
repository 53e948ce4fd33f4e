// Linear memory is laid out by the caller: everything above `heapBase` is free scratch.

/** First byte after the module's static data; callers place their buffers from here on. */
export function heapBase(): usize {
  return (__heap_base + 15) & ~15;
}
