import { availableParallelism } from 'node:os';
import type { Model } from '../../models/model.ts';
import { openModel } from '../../models/open.ts';
import { startTranscoder } from '../../runtime/kernel-workers.ts';
import { openLlama, openLlamaVocabulary } from '../../runtime/llama.ts';
import { weightsOf } from '../../tensor/tensor.ts';
import type { OnProgress } from '../../util/progress.ts';
import { check, wrong, type Check } from './check.ts';
import { openSource, templateOf, type Source } from './source.ts';
import { compareTemplates, renderTemplate } from './template-check.ts';
import { compareTokens, roundTrip } from './tokenizer-check.ts';
import { checkWeights } from './weights-check.ts';

/** What to verify a file against, and how. */
export interface VerifyOptions {
  /** The model it was made from: tokens and chat template must be the same. */
  readonly against?: string;
  readonly threads?: number;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** The checks of one file, in the order they ran; later ones need the earlier ones to pass. */
export interface VerifyReport {
  readonly file: string;
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

const smokeTokens = 20;

/**
 * Reloads a GGUF file and checks what a user would stumble over: structure, finite weights,
 * tokenizer, chat template, and 20 tokens of generation in llama.cpp.
 *
 * @throws {@link PithError} `cancelled`, and whatever opening `against` throws; what is wrong with
 *   the file itself is in the report.
 */
export async function verify(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  let model: Model | undefined;
  const checks: Check[] = [];
  checks.push(
    await check('structure', async () => {
      model = await openModel(path);
      return describe(model);
    }),
  );
  if (model) {
    checks.push(await withTranscoder(model, options));
    const source = options.against === undefined ? undefined : await openSource(options.against);
    checks.push(await check('tokenizer', () => checkTokenizer(path, source)));
    checks.push(await check('chat template', async () => checkTemplate(model!, source)));
    await source?.close();
    checks.push(await check('generation', () => speak(path, options.signal)));
    await model.close();
  }
  return { file: path, ok: checks.every(({ ok }) => ok), checks };
}

function describe({ architecture, tensors }: Model): string {
  const weights = [...tensors.values()].reduce((sum, { shape }) => sum + weightsOf(shape), 0);
  return `${architecture}, ${tensors.size} tensors, ${weights} parameters`;
}

async function withTranscoder(model: Model, options: VerifyOptions): Promise<Check> {
  const transcoder = await startTranscoder(options.threads ?? availableParallelism());
  try {
    return await check('weights', () => checkWeights(model, transcoder, options));
  } finally {
    await transcoder.close();
  }
}

async function checkTokenizer(path: string, source: Source | undefined): Promise<string> {
  const vocabulary = await openLlamaVocabulary(path);
  try {
    if (source?.encode) return compareTokens(vocabulary, source.encode);
    const found = roundTrip(vocabulary);
    return source ? `${found} (the source has no tokenizer.json to compare tokens with)` : found;
  } finally {
    await vocabulary.close();
  }
}

function checkTemplate(model: Model, source: Source | undefined): string {
  const file = templateOf(model);
  return source ? compareTemplates(file, source.template) : renderTemplate(file);
}

/** Generates greedily from the token that opens a document; one token over and over is broken. */
async function speak(path: string, signal: AbortSignal | undefined): Promise<string> {
  const engine = await openLlama(path, { threads: 1, ...(signal && { signal }) });
  try {
    const prompt = [engine.bosToken ?? engine.tokenize('The', false)[0] ?? 0];
    const { text, generatedTokens } = await engine.generate(prompt, {
      maxTokens: smokeTokens,
      temperature: 0,
      ...(signal && { signal }),
    });
    const tokens = new Set(engine.tokenize(text, true));
    if (generatedTokens === smokeTokens && tokens.size <= 1) {
      throw wrong(`${smokeTokens} greedy tokens are one token over and over: ${quoted(text)}`);
    }
    return `${generatedTokens} greedy tokens: ${quoted(text)}`;
  } finally {
    await engine.close();
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
