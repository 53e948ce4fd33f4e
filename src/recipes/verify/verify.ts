import { availableParallelism } from 'node:os';
import { isEncoder, mayRunInLlamaCpp } from '../../models/architectures.ts';
import type { Model } from '../../models/model.ts';
import { locateModel, openModel } from '../../models/open.ts';
import { startTranscoder } from '../../runtime/kernel-workers.ts';
import { tryGeneration, tryTexts, type TriedText } from '../../runtime/llama-trial.ts';
import type { Generation } from '../../runtime/llama.ts';
import { weightsOf } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import type { OnProgress } from '../../util/progress.ts';
import { check, unchecked, wrong, type Check } from './check.ts';
import { probeTexts } from './probe-texts.ts';
import { readSource, templateOf, type Source } from './source.ts';
import { compareTemplates, renderTemplate } from './template-check.ts';
import { checkRoundTrip, compareTokens } from './tokenizer-check.ts';
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
 * tokenizer, chat template, and 20 tokens of generation in llama.cpp, which runs in a process of its
 * own because a hostile file can crash it.
 *
 * @throws {@link PithError} `not-found` when there is no such file, `unsupported` for a folder,
 *   `cancelled`, and whatever opening `against` throws; what is wrong with the file itself is in the
 *   report.
 */
export async function verify(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  await requireGguf(path);
  let model: Model | undefined;
  const structure = await check('structure', async () => {
    model = await openModel(path);
    return describe(model);
  });
  const checks = [structure, ...(model ? await checkContents(path, model, options) : [])];
  return { file: path, ok: checks.every(({ ok }) => ok), checks };
}

async function requireGguf(path: string): Promise<void> {
  const { kind } = await locateModel(path);
  if (kind === 'gguf') return;
  throw new PithError(
    'unsupported',
    `${path} is a folder; what is verified is a GGUF file.`,
    `Make one first: pith quantize ${path} --type Q8_0 -o model-q8_0.gguf`,
  );
}

async function checkContents(
  path: string,
  model: Model,
  options: VerifyOptions,
): Promise<readonly Check[]> {
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, ...(options.signal ? [options.signal] : [])]);
  const texts = probeTexts.map(({ text }) => text);
  try {
    const { against } = options;
    const source = against === undefined ? undefined : await readSource(against, signal);
    const tried = quietly(tryIn(model, () => tryTexts(path, texts, signal)));
    const generation = quietly(
      tryIn(model, async () => {
        if (isEncoder(model)) throw unchecked('an encoder makes vectors, no text');
        return tryGeneration(path, smokeTokens, signal);
      }),
    );
    return [
      await withTranscoder(model, options),
      await check('tokenizer', () => checkTokenizer(model, tried, source)),
      await check('chat template', async () => checkTemplate(model, source)),
      await check('generation', () => checkGeneration(generation)),
    ];
  } finally {
    ended.abort();
    await model.close();
  }
}

/** Runs beside other checks and is awaited in its turn; until then a failure is not unhandled. */
function quietly<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
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

/** What llama.cpp says to a model whose architecture it may know. */
async function tryIn<T>({ architecture }: Model, run: () => Promise<T>): Promise<T> {
  if (mayRunInLlamaCpp(architecture)) return run();
  throw unchecked(
    `llama.cpp has no architecture ${architecture}; only ONNX Runtime runs the model`,
  );
}

async function checkTokenizer(
  { metadata }: Model,
  trial: Promise<readonly TriedText[]>,
  source: Source | undefined,
): Promise<string> {
  const tried = await trial;
  const kind = metadata.get('tokenizer.ggml.model')?.value;
  if (source?.tokens) return compareTokens(tried, source.tokens, kind);
  if (kind === 'bert') {
    throw unchecked('WordPiece keeps no spaces, so its tokens must be compared: pass --against');
  }
  const found = checkRoundTrip(tried);
  return source ? `${found} (the source has no tokenizer.json to compare tokens with)` : found;
}

function checkTemplate(model: Model, source: Source | undefined): string {
  const file = templateOf(model);
  return source ? compareTemplates(file, source.template) : renderTemplate(file);
}

/** Greedy tokens from the token that opens a document; one token over and over is broken. */
async function checkGeneration(trial: Promise<Generation>): Promise<string> {
  const { text, tokens } = await trial;
  if (tokens.length === smokeTokens && new Set(tokens).size === 1) {
    throw wrong(`${smokeTokens} greedy tokens are one token over and over: ${quoted(text)}`);
  }
  return `${tokens.length} greedy tokens: ${quoted(text)}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
