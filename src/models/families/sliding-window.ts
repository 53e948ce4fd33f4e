import type { DecoderConfig } from './decoder-config.ts';

/** Qwen's sliding window is off unless asked for, and GGUF's qwen architectures have none. */
export function slidingWindowNote(config: DecoderConfig): readonly string[] {
  const { use_sliding_window: used, sliding_window: window } = config;
  if (!used || !window || window >= config.max_position_embeddings) return [];
  return [
    `Some layers attend to a sliding window of ${window} tokens; llama.cpp lets them attend to all, ` +
      `so answers differ from the original beyond ${window} tokens.`,
  ];
}
