import { createHash } from 'node:crypto';
import { askedBy, type Asked, type Task, type TaskModel } from '../../evaluate/tasks/index.ts';
import { requireSameVocabulary } from '../../evaluate/vocabulary.ts';
import type { Model } from '../../models/model.ts';
import { openModel } from '../../models/open.ts';
import { makeWritableFolder } from '../../storage/folder.ts';
import { cacheFolder, longestContext } from './defaults.ts';
import type { MeasuredModel } from './measurement.ts';
import { OpenThings } from '../../util/closing.ts';
import type { EvaluateRequest } from './request.ts';
import type { SessionOptions } from './in-session.ts';
import { openTokenizer } from './tokenizer.ts';

/** A task whose rows are checked. */
export interface PlannedTask {
  readonly task: Task;
  /** Answers that a model will give. */
  readonly answers: number;
  /** Of what is asked, in tokens. */
  readonly hash: string;
}

/** Tasks that are ready to be put to models. */
export interface TasksPlan {
  readonly model: MeasuredModel;
  readonly against?: MeasuredModel;
  readonly tasks: readonly PlannedTask[];
  /** How both models read text. */
  readonly reading: Pick<TaskModel, 'tokenizer' | 'prefixToken' | 'addPrefix'>;
  /** Tokens of the longest text. */
  readonly contextLength: number;
  /** The folder of kept answers. */
  readonly cache: string;
  close(): Promise<void>;
}

/**
 * Checks all rows, that the two models read text the same way, and how long the texts are.
 *
 * @throws PithError `corrupt` with `file:line` for bad rows; `conflict` for a base with another tokenizer.
 */
export async function planTasks(
  tasks: readonly Task[],
  request: EvaluateRequest,
  options: SessionOptions,
): Promise<TasksPlan> {
  const asked = tasks.map(askedBy);
  const { onProgress, signal, session, cache = cacheFolder() } = options;
  const opened = new OpenThings();
  try {
    const model = opened.add(await openModel(request.model));
    const base = request.against === undefined ? undefined : await openModel(request.against);
    if (base) requireSameVocabulary(model, opened.add(base));
    const references = [...(base ? [request.against!] : []), request.model];
    const { bos, ...tokenizer } = await openTokenizer(references, model);
    opened.add(tokenizer);
    const encode = (text: string) => [...tokenizer.encode(text)];
    const encoded = tasks.map((task, at) => encodeTask(task, asked[at]!, encode));
    const lengths = encoded.map((one) => one.length);
    await makeWritableFolder(cache);
    const hashed = async (reference: string, one: Model): Promise<MeasuredModel> => {
      return { reference, hash: await session.hashOf(one, { onProgress, signal }) };
    };
    return {
      model: await hashed(request.model, model),
      ...(base && { against: await hashed(request.against!, base) }),
      tasks: encoded.map((one) => one.planned),
      reading: {
        tokenizer: { encode },
        prefixToken: bos ?? closingToken(model),
        addPrefix: bos !== undefined,
      },
      contextLength: contextFor(Math.max(...lengths), request, base ? [model, base] : [model]),
      cache,
      close: () => opened.close(),
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

interface EncodedTask {
  readonly planned: PlannedTask;
  /** Tokens of a context that serves the task. */
  readonly length: number;
}

/** What stands around a text: an opening token, and an encoder's closing one. */
const edgeTokens = 2;

function encodeTask(
  task: Task,
  asked: readonly Asked[],
  encode: (text: string) => readonly number[],
): EncodedTask {
  const { output_type, generation_kwargs } = task.definition;
  const hash = createHash('sha256').update(JSON.stringify([output_type, generation_kwargs]));
  const lengths: number[] = [];
  for (const { context, continuations } of asked) {
    const whole = continuations.map((continuation) => context + continuation);
    const tokens = [context, ...whole].map(encode);
    hash.update(JSON.stringify([context, continuations, tokens]));
    lengths.push(Math.max(...tokens.map(({ length }) => length)) + edgeTokens);
  }
  const planned = { task, answers: asked.length, hash: hash.digest('hex') };
  return { planned, length: contextOfLengths(lengths, task) };
}

/**
 * Long enough for all texts and what is written after them. Where texts are likelihoods' windows, also
 * so long that most are within a quarter: the engine of graphs computes four such at once.
 */
function contextOfLengths(lengths: readonly number[], { definition }: Task): number {
  const { output_type, generation_kwargs } = definition;
  const longest = Math.max(...lengths);
  if (output_type === 'generate_until') return longest + generation_kwargs.max_gen_toks;
  if (output_type === 'retrieval') return longest;
  const most = lengths.toSorted((a, b) => a - b)[Math.floor(0.9 * (lengths.length - 1))]!;
  return Math.max(longest, 4 * most);
}

/** Multiples of this: a few more tokens change nothing, and other rows often need no other programs. */
const contextStep = 16;

function contextFor(
  needed: number,
  { context }: EvaluateRequest,
  models: readonly Model[],
): number {
  const longest = longestContext(context, models);
  if (context !== undefined) return context;
  return Math.min(longest, Math.ceil(needed / contextStep) * contextStep);
}

/** For models without an opening token: what ends their documents, else token 0. */
function closingToken({ metadata }: Model): number {
  const eos = metadata.get('tokenizer.ggml.eos_token_id')?.value;
  return typeof eos === 'number' ? eos : 0;
}
