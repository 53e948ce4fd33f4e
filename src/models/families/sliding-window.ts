import { z } from 'zod';
import { meta, type MetadataValue } from '../../formats/gguf/metadata.ts';
import type { Key } from './family.ts';
import type { ModelConfig } from './model-config.ts';

/** Qwen's sliding window is off unless asked for, and GGUF's qwen architectures have none. */
export function slidingWindowNote(config: ModelConfig): readonly string[] {
  const { use_sliding_window: used, sliding_window: window } = config;
  if (!used || !window || window >= config.max_position_embeddings) return [];
  return [
    `Some layers attend to a sliding window of ${window} tokens; llama.cpp lets them attend to all, ` +
      `so answers differ from the original beyond ${window} tokens.`,
  ];
}

/** Mistral's architecture in GGUF, and Phi 3's in llama.cpp, have no window. */
export function everyLayerNote(config: ModelConfig): readonly string[] {
  const { sliding_window: window, max_position_embeddings: context } = config;
  if (!window || window >= context) return [];
  return [
    `The model attends to a sliding window of ${window} tokens; llama.cpp attends to all of them, ` +
      `so answers differ from the original beyond ${window} tokens.`,
  ];
}

/** Fields of models in which some layers attend to a window and others to all tokens. */
export const windowFields = {
  layer_types: z.array(z.string()).nullish(),
  sliding_window_pattern: z.number().int().positive().nullish(),
} as const satisfies Record<string, z.ZodType>;

/**
 * `attention.sliding_window` and, where it is not the architecture's own, which layers have it.
 *
 * @param period - In the architecture, every such layer attends to all tokens, the others to the
 *   window.
 */
export function windowKeys(
  config: ModelConfig & {
    readonly layer_types?: readonly string[] | null | undefined;
    readonly sliding_window_pattern?: number | null | undefined;
  },
  period: number,
): readonly Key[] {
  const { sliding_window: window, layer_types: types, num_hidden_layers: layers } = config;
  if (!window) return [];
  const expected = windowedLayers(layers, period);
  const found =
    types?.map((type) => type === 'sliding_attention') ??
    windowedLayers(layers, config.sliding_window_pattern ?? period);
  const isUsual = expected.every((windowed, layer) => windowed === found[layer]);
  const pattern: MetadataValue = meta.int32s(found.map(Number));
  return [
    ['attention.sliding_window', meta.uint32(window)],
    ...(isUsual ? [] : [['attention.sliding_window_pattern', pattern] as const]),
  ];
}

/** Whether each layer has the window, when every `period`-th has not. */
function windowedLayers(layers: number, period: number): readonly boolean[] {
  return Array.from({ length: layers }, (_, layer) => (layer + 1) % period !== 0);
}

/**
 * `attention.sliding_window` of models in which every layer has one. llama.cpp does not read it in
 * such architectures; Pith's own forward pass does.
 */
export function everyLayerKeys({ sliding_window: window }: ModelConfig): readonly Key[] {
  return window ? [['attention.sliding_window', meta.uint32(window)]] : [];
}
