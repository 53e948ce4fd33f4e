import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeRandomFolder, type Checkpoint, type RandomTensor } from './random-checkpoint.ts';

interface GoldenCase {
  readonly label: string;
  readonly config: Checkpoint['config'];
  readonly stored: Readonly<Record<string, readonly number[]>>;
}

/** Tensors as transformers 4.57.6 saves them: interop/hugging-face-families.py. */
const { cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/families.json'), 'utf8'),
) as { cases: GoldenCase[] };

/** Tokens of the model in the box, whose tokenizer the checkpoints have. */
const vocabulary = 4096;
const positions = 128;
/** Gemma 3 attends to all tokens in its sixth layer. */
const gemma3Layers = 7;

/** What is changed in a case: sizes that a text of some 80 tokens needs. */
function changesOf({ config }: GoldenCase): Readonly<Record<string, unknown>> {
  const ids = { bos_token_id: 0, eos_token_id: 0, pad_token_id: 0, vocab_size: vocabulary };
  if (config.model_type === 'gpt2') return { ...ids, n_positions: positions, n_ctx: positions };
  if (config.model_type === 'gemma3_text') return { ...ids, num_hidden_layers: gemma3Layers };
  // Beyond it from the first prompt on: llama.cpp decides by the context's size, transformers by the text's.
  if (config.model_type === 'phi3') return { ...ids, original_max_position_embeddings: 4 };
  // The converter leaves the rotary base of these out, and llama.cpp assumes 10000.
  if (/^(phi|gemma2?|stablelm)$/.test(config.model_type)) return { ...ids, rope_theta: 10000 };
  return ids;
}

/** Decoders that are not in `checkpoints`, one of each family at least. */
export const familyCheckpoints: readonly GoldenCase[] = cases
  .filter(({ config }) => !/^(llama|mistral|qwen2|qwen3|bert|distilbert)$/.test(config.model_type))
  .map((entry) => {
    const layers = entry.config.model_type === 'gemma3_text' ? gemma3Layers : 2;
    return {
      label: entry.label,
      config: { ...entry.config, ...changesOf(entry) },
      stored: Object.fromEntries(
        Object.entries(entry.stored).flatMap(([name, shape]) => withLayers(name, shape, layers)),
      ),
    };
  });

/** The tensors of the second layer stand for those of all later ones. */
function withLayers(
  name: string,
  [rows, ...columns]: readonly number[],
  layers: number,
): [string, readonly number[]][] {
  const isToken = /embed_tokens|lm_head|wte/.test(name);
  const size = isToken ? vocabulary : name.includes('wpe') ? positions : rows!;
  const repeats = /\.1\./.test(name) ? layers - 1 : 1;
  return Array.from({ length: repeats }, (_, at) => [
    repeats > 1 ? name.replace('.1.', `.${at + 1}.`) : name,
    [size, ...columns],
  ]);
}

/** Writes such a checkpoint as a Hugging Face folder, in F32. */
export function writeFamilyCheckpoint(
  folder: string,
  { config, stored }: GoldenCase,
  seed: number,
) {
  const tensors = Object.entries(stored).map(([name, shape]): RandomTensor => {
    return { name, shape, ...distribution(name, shape, config.model_type) };
  });
  writeRandomFolder(folder, config, tensors, { dtype: 'F32', seed });
}

function distribution(name: string, shape: readonly number[], type: string) {
  if (name.endsWith('.bias')) return { center: 0, spread: 0.3 };
  // Gemma stores norm weights less one, and multiplies embeddings by √64.
  const isGemma = type.startsWith('gemma');
  if (shape.length === 1) return { center: isGemma ? 0 : 1, spread: 0.3 };
  if (/embed_tokens|wte|wpe/.test(name)) return { center: 0, spread: isGemma ? 0.02 : 0.5 };
  const inputs = type === 'gpt2' && !name.includes('lm_head') ? shape[0]! : shape[1]!;
  return { center: 0, spread: 2 / Math.sqrt(inputs) };
}
