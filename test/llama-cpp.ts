import { getLlama, LlamaLogLevel, type Token } from 'node-llama-cpp';

/** A GGUF file in llama.cpp, reached without Pith's runtime: one thread, F32 key/value cache. */
export interface LlamaCpp {
  tokenize(text: string): number[];
  detokenize(tokens: readonly number[]): string;
  /** `count` greedy tokens after `prompt`, one at a time, end-of-text tokens included. */
  greedy(prompt: readonly number[], count: number): Promise<number[]>;
  /** Logits `[V]` after each of `tokens` from index `from` on, all tokens in one batch. */
  logits(tokens: readonly number[], from: number): Promise<Float32Array[]>;
  /** ln P(token) of each of `tokens` but the first, given those before it. */
  logProbabilities(tokens: readonly number[]): Promise<number[]>;
  close(): Promise<void>;
}

/** Loads a GGUF file; rejects when llama.cpp does not. `contextSize` holds all tokens of a call. */
export async function openLlamaCpp(path: string, contextSize = 256): Promise<LlamaCpp> {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    maxThreads: 1,
    logLevel: LlamaLogLevel.disabled,
  });
  const model = await llama.loadModel({ modelPath: path });
  const context = await model.createContext({
    contextSize,
    batchSize: contextSize,
    flashAttention: false,
    experimentalKvCacheKeyType: 'F32',
    experimentalKvCacheValueType: 'F32',
  });
  const sequence = context.getSequence();
  return {
    tokenize: (text) => model.tokenize(text, false),
    detokenize: (tokens) => model.detokenize(tokens as Token[], false),
    async greedy(prompt, count) {
      await sequence.clearHistory();
      const generated: number[] = [];
      const steps = sequence.evaluate(prompt as Token[], { temperature: 0, yieldEogToken: true });
      for await (const token of steps) {
        if (generated.push(token) === count) break;
      }
      return generated;
    },
    async logits(tokens, from) {
      await sequence.clearHistory();
      const wanted = { generateNext: { logits: true } } as const;
      const found = await sequence.controlledEvaluate(
        (tokens as Token[]).map((token, at) => (at < from ? token : [token, wanted])),
      );
      return found.slice(from).map((entry) => byToken(entry?.next.logits));
    },
    async logProbabilities(tokens) {
      await sequence.clearHistory();
      const found = await sequence.controlledEvaluate(
        (tokens as Token[]).slice(0, -1).map((token, at) => {
          const filter = { tokens: [tokens[at + 1] as Token], includeTop: 1 };
          return [token, { generateNext: { totalLogitWeight: true, logits: { filter } } }];
        }),
      );
      return found.map((entry, at) => {
        const { logits, totalLogitWeight } = entry?.next ?? {};
        const top = Math.max(...(logits?.values() ?? []));
        return logits!.get(tokens[at + 1] as Token)! - top - Math.log(totalLogitWeight!);
      });
    },
    close: () => llama.dispose(),
  };
}

function byToken(logits: ReadonlyMap<number, number> | undefined): Float32Array {
  const values = new Float32Array(logits?.size ?? 0);
  for (const [token, value] of logits ?? []) values[token] = value;
  return values;
}
