/**
 * Greedy tokens of a GGUF file in llama.cpp (node-llama-cpp 3.22.1), one thread, F32 key/value cache:
 *
 *     node interop/greedy-llama-cpp.mjs MODEL.gguf COUNT '["text", …]'
 */
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';

const [modelPath, count, texts] = process.argv.slice(2);
const llama = await getLlama({
  gpu: false,
  build: 'never',
  maxThreads: 1,
  logLevel: LlamaLogLevel.disabled,
});
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({
  contextSize: 512,
  batchSize: 512,
  flashAttention: false,
  experimentalKvCacheKeyType: 'F32',
  experimentalKvCacheValueType: 'F32',
});
const sequence = context.getSequence();
const answers = [];
for (const text of JSON.parse(texts)) {
  await sequence.clearHistory();
  const prompt = model.tokenize(text, false);
  const tokens = [];
  const steps = sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true });
  for await (const token of steps) {
    if (tokens.push(token) === Number(count)) break;
  }
  answers.push({ prompt, tokens });
}
console.log(JSON.stringify(answers));
await llama.dispose();
