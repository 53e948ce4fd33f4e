/** What no honest ONNX file exceeds; keeps time and memory bounded on hostile files. */
export const limits = {
  /** Fields of nodes, types and settings, which cost memory one by one. Large models have 10^5. */
  fields: 2 ** 21,
  /** Messages inside messages, as protobuf's own readers allow. A graph in a node takes three. */
  depth: 100,
  /** Constants above this many bytes stay in the file until they are read. */
  inlineBytes: 2 ** 16,
} as const;
