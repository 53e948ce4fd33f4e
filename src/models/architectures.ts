import type { Model } from './model.ts';

/** GGUF architectures of Pith's own, for models that llama.cpp cannot run. */
const ownArchitectures: ReadonlySet<string> = new Set(['mobilebert']);

/** Whether llama.cpp may know an architecture; those that it cannot know run in ONNX Runtime only. */
export function mayRunInLlamaCpp(architecture: string): boolean {
  return !ownArchitectures.has(architecture);
}

/** Whether every token attends to all others: an encoder makes vectors, no text. */
export function isEncoder({
  architecture,
  metadata,
}: Pick<Model, 'architecture' | 'metadata'>): boolean {
  return metadata.get(`${architecture}.attention.causal`)?.value === false;
}
