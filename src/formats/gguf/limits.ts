/** What no honest GGUF header exceeds; keeps time and memory bounded on hostile files. */
export const limits = {
  /** Metadata and tensor infos together. The largest known vocabularies take about 20 MB. */
  headerBytes: 256 * 2 ** 20,
  /** Metadata keys, and tensors of one file. The largest known models have some thousands. */
  entries: 2 ** 20,
  /** Strings, booleans and nested arrays in all of the metadata, which cost memory one by one. */
  items: 2 ** 24,
  /** Multiple that tensors start at: the largest memory page in use. Padding takes memory. */
  alignment: 2 ** 16,
  /** Arrays inside arrays. */
  arrayDepth: 8,
  /** Dimensions of a tensor (GGML_MAX_DIMS). */
  dimensions: 4,
  /** Bytes of a tensor name that llama.cpp loads (GGML_MAX_NAME − 1). */
  nameBytes: 63,
} as const;
