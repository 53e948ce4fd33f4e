import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeRandomFolder, type Checkpoint } from './random-checkpoint.ts';

interface GoldenCase {
  readonly label: string;
  readonly config: Checkpoint['config'];
  readonly stored: Readonly<Record<string, readonly number[]>>;
  readonly files?: Readonly<Record<string, unknown>>;
}

const golden = <T>(name: string): T =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../golden/${name}`), 'utf8')) as T;

/**
 * Writes a random encoder as a Hugging Face folder, with a WordPiece tokenizer of 700 tokens and mean
 * pooling.
 */
export function writeEncoderFolder(folder: string, label: string): void {
  const families = golden<{ cases: GoldenCase[]; mobilebert: GoldenCase }>('families.json');
  const entry =
    families.cases.find((candidate) => candidate.label === label) ??
    families[label as 'mobilebert'];
  const { tokenizer } = golden<{ tokenizer: { model: { vocab: object } } }>(
    'tokenizer/word-piece.json',
  );
  const vocab_size = Object.keys(tokenizer.model.vocab).length;
  const tensors = Object.entries(entry.stored).map(([name, [rows, ...columns]]) => ({
    name,
    shape: [name.includes('word_embeddings') ? vocab_size : rows!, ...columns],
    center: columns.length === 0 && name.endsWith('weight') ? 1 : 0,
    spread: 0.1,
  }));
  writeRandomFolder(folder, { ...entry.config, vocab_size }, tensors, { dtype: 'F32', seed: 1 });
  const { files: pooling } = families.cases.find(({ files }) => files)!;
  const files = { ...pooling, 'tokenizer.json': tokenizer, 'tokenizer_config.json': {} };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), JSON.stringify(content));
  }
}
