import type { InferenceSession, OnnxValue, Tensor } from 'onnxruntime-node';
import type { ElementType, TensorData } from '../../graph/value.ts';
import { PithError } from '../../util/errors.ts';
import type { OnnxLibrary } from './library.ts';
import type {
  DenseTensor,
  Numbered,
  OnnxAnswer,
  OnnxReply,
  OnnxRequest,
  RunRequest,
  SessionSettings,
} from './protocol.ts';

const onnxTypes = { f32: 'float32', i64: 'int64', bool: 'bool' } as const satisfies Record<
  ElementType,
  Tensor.Type
>;

/**
 * Owns ONNX Runtime's sessions and stored tensors; lives in the worker thread, as `run` blocks its
 * thread. Requests are carried out one after the other, in order.
 */
export class OnnxHost {
  readonly #library: OnnxLibrary;
  readonly #options: InferenceSession.SessionOptions;
  readonly #sessions = new Map<number, InferenceSession>();
  readonly #tensors = new Map<number, Tensor>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(library: OnnxLibrary, settings: SessionSettings) {
    this.#library = library;
    this.#options = sessionOptions(settings);
  }

  /** Answers one request, turning every failure into a reply. */
  handle({ id, request }: Numbered): Promise<OnnxReply> {
    const reply = this.#last.then(async (): Promise<OnnxReply> => {
      try {
        return { id, answer: await this.#answer(request) };
      } catch (error) {
        return failureReply(id, error);
      }
    });
    this.#last = reply;
    return reply;
  }

  async #answer(request: OnnxRequest): Promise<OnnxAnswer> {
    if (request.kind === 'run') return this.#run(request);
    if (request.kind === 'compile') await this.#compile(request.program, request.model);
    if (request.kind === 'close-program') await this.#closeProgram(request.program);
    if (request.kind === 'store') this.#tensors.set(request.tensor, this.#tensor(request.value));
    if (request.kind === 'release') this.#release(request.tensor);
    if (request.kind === 'close') await this.#close();
    return {};
  }

  async #compile(program: number, model: Uint8Array): Promise<void> {
    const session = await this.#library.InferenceSession.create(model, this.#options);
    this.#sessions.set(program, session);
  }

  async #closeProgram(program: number): Promise<void> {
    await this.#sessions.get(program)?.release();
    this.#sessions.delete(program);
  }

  #release(tensor: number): void {
    letGo(this.#tensors.get(tensor));
    this.#tensors.delete(tensor);
  }

  async #run({ program, inputs, outputs, keep, into }: RunRequest): Promise<OnnxAnswer> {
    const feeds = mapValues(inputs, (input) =>
      typeof input === 'number' ? this.#stored(input) : this.#tensor(input),
    );
    const fetches: Record<string, OnnxValue | null> = {};
    for (const name of [...outputs, ...Object.keys(keep)]) fetches[name] = null;
    for (const [name, tensor] of Object.entries(into)) fetches[name] = this.#stored(tensor);
    const results = await this.#sessions.get(program)!.run(feeds, fetches);
    for (const [name, tensor] of Object.entries(keep)) this.#tensors.set(tensor, results[name]!);
    return Object.fromEntries(
      outputs.map((name) => {
        const data = results[name]!.data as TensorData;
        // What stays here cannot be handed over.
        return [name, name in keep || name in into ? data.slice() : data];
      }),
    );
  }

  async #close(): Promise<void> {
    for (const program of this.#sessions.keys()) await this.#closeProgram(program);
    for (const tensor of this.#tensors.keys()) this.#release(tensor);
  }

  #stored(tensor: number): Tensor {
    return this.#tensors.get(tensor)!;
  }

  #tensor({ type, shape, data }: DenseTensor): Tensor {
    return new this.#library.Tensor(onnxTypes[type], data, shape);
  }
}

/** The reply that says what went wrong. */
export function failureReply(id: number, error: unknown): OnnxReply {
  if (error instanceof PithError) {
    const { code, message, hint } = error;
    return { id, error: { code, message, hint } };
  }
  const reason = plainReason(error instanceof Error ? error.message : String(error));
  const hint = 'Shorter or fewer sequences a run need less memory. See what works: pith doctor';
  return { id, error: { code: 'engine', message: `ONNX Runtime: ${reason}`, hint } };
}

/** Without the place in ONNX Runtime's sources and the condition that did not hold there. */
function plainReason(message: string): string {
  return message
    .trim()
    .replace(/^.* was false\. /s, '')
    .replace(/^\S+:\d+ .*?\)(?:::<lambda\(\)>)? (?=[A-Z])/s, '');
}

/** Memory of an answer, all of it, to hand over to another thread. */
export function memoryOf(reply: OnnxReply): ArrayBuffer[] {
  return reply.error ? [] : Object.values(reply.answer).map(({ buffer }) => buffer as ArrayBuffer);
}

/** Frees a tensor's memory now: handed to a channel that is closed, it needs no garbage collector. */
function letGo(tensor: Tensor | undefined): void {
  const buffer = (tensor?.data as TensorData | undefined)?.buffer;
  if (!(buffer instanceof ArrayBuffer)) return;
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(null, [buffer]);
  port1.close();
  port2.close();
}

function sessionOptions({ threads, provider }: SessionSettings): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    // As fast without it, and 65 MB less where it takes 150 (12 layers of 576 wide, 512 tokens).
    enableMemPattern: false,
    extra: {
      session: {
        // Weights are inputs, which are never packed; constants used twice would be packed twice.
        disable_prepacking: '1',
        // As fast on an idle machine; waiting threads leave the cores to other sessions and decoders.
        intra_op: { allow_spinning: '0' },
      },
    },
  };
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
