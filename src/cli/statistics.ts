import type { Generation, LlamaEngine } from '../runtime/llama.ts';
import { formatBytes, formatDuration, threeDigits } from '../util/format-units.ts';

/** One line about speed and memory of an answer. */
export function statistics(engine: LlamaEngine, generation: Generation): string {
  const { promptTokens, generatedTokens, tokensPerSecond, timeToFirstTokenMs } = generation;
  const threads = `${engine.threads} thread${engine.threads === 1 ? '' : 's'}`;
  return [
    `${promptTokens} + ${generatedTokens} tokens`,
    ...(tokensPerSecond > 0 ? [`${threeDigits(tokensPerSecond)} tokens/s`] : []),
    `first after ${formatDuration(timeToFirstTokenMs / 1000)}`,
    engine.device === 'cpu' ? `CPU, ${threads}` : engine.device,
    `peak memory ${formatBytes(generation.peakMemoryBytes)}`,
  ].join(' · ');
}

/** Why an answer is shorter than it could be, when that is not the model's own doing. */
export function contextNote(engine: LlamaEngine, generation: Generation): string | undefined {
  if (generation.stopReason !== 'context') return undefined;
  return (
    `The context of ${engine.contextLength} tokens is full: the answer ends after ` +
    `${generation.generatedTokens} tokens.`
  );
}
