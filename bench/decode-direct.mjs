/**
 * Decodes with node-llama-cpp and nothing else, as its documentation shows, for bench/decode.mjs:
 * node bench/decode-direct.mjs MODEL PROMPT TOKENS THREADS CONTEXT. Prints tokens per second after
 * the first token, and the tokens.
 */
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';

const [modelPath, prompt, ...numbers] = process.argv.slice(2);
const [maxTokens, maxThreads, contextSize] = numbers.map(Number);
const llama = await getLlama({
  gpu: false,
  build: 'never',
  maxThreads,
  logLevel: LlamaLogLevel.error,
});
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({ contextSize });
const sequence = context.getSequence();
const tokens = [];
let firstAt;
let lastAt;
for await (const token of sequence.evaluate(model.tokenize(prompt), { temperature: 0 })) {
  lastAt = performance.now();
  firstAt ??= lastAt;
  tokens.push(token);
  if (tokens.length === maxTokens) break;
}
const tokensPerSecond = (1000 * (tokens.length - 1)) / (lastAt - firstAt);
console.log(JSON.stringify({ tokens, tokensPerSecond }));
await llama.dispose();
