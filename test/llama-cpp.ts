import { getLlama, LlamaLogLevel, type Llama, type LlamaContext, type Token } from 'node-llama-cpp';

/** A GGUF file in llama.cpp, reached without Pith's runtime: one thread, F32 key/value cache. */
export interface LlamaCppModel {
  tokenize(text: string): number[];
  /** `count` greedy tokens after `prompt`, one at a time, end-of-text tokens included. */
  greedy(prompt: readonly number[], count: number): Promise<number[]>;
  /** Logits `[V]` after each of `tokens` from index `from` on, all tokens in one batch. */
  logits(tokens: readonly number[], from: number): Promise<Float32Array[]>;
  /** ln P(token) of each of `tokens` but the first, given those before it. */
  logProbabilities(tokens: readonly number[]): Promise<number[]>;
  /** The vector that an encoder makes of a text, pooled as the file says. */
  embedding(tokens: readonly number[]): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** llama.cpp without Pith's runtime. */
export interface LlamaCpp {
  /** Loads a GGUF file; rejects when llama.cpp does not. All tokens of a call fit 512. */
  open(path: string): Promise<LlamaCppModel>;
  close(): Promise<void>;
}

const contextSize = 512;

export async function startLlamaCpp(): Promise<LlamaCpp> {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    maxThreads: 1,
    logLevel: LlamaLogLevel.disabled,
  });
  return { open: (path) => open(llama, path), close: () => llama.dispose() };
}

async function open(llama: Llama, path: string): Promise<LlamaCppModel> {
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
      const found = await evaluate(
        sequence,
        (tokens as Token[]).map((token, at) => (at < from ? token : [token, allLogits])),
      );
      return found.slice(from).map((entry) => byToken(entry?.next.logits));
    },
    async logProbabilities(tokens) {
      const next = (tokens as Token[]).slice(1);
      const found = await evaluate(
        sequence,
        next.map((target, at) => [tokens[at] as Token, probabilityOf(target)]),
      );
      return found.map((entry, at) => {
        const { logits, totalLogitWeight } = entry!.next;
        const top = Math.max(...logits!.values());
        return logits!.get(next[at]!)! - top - Math.log(totalLogitWeight!);
      });
    },
    async embedding(tokens) {
      const embedder = await model.createEmbeddingContext({ contextSize, batchSize: contextSize });
      const { vector } = await embedder.getEmbeddingFor(tokens as Token[]);
      await embedder.dispose();
      return vector;
    },
    close: () => model.dispose(),
  };
}

type Sequence = ReturnType<LlamaContext['getSequence']>;

const allLogits = { generateNext: { logits: true } } as const;

/** What ln P(target) is made of: its logit, the largest, and Σ exp(logit − largest). */
const probabilityOf = (target: Token) => ({
  generateNext: { totalLogitWeight: true, logits: { filter: { tokens: [target], includeTop: 1 } } },
});

async function evaluate(sequence: Sequence, input: Parameters<Sequence['controlledEvaluate']>[0]) {
  await sequence.clearHistory();
  return sequence.controlledEvaluate(input);
}

function byToken(logits: ReadonlyMap<number, number> | undefined): Float32Array {
  const values = new Float32Array(logits?.size ?? 0);
  for (const [token, value] of logits ?? []) values[token] = value;
  return values;
}
