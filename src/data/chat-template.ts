import { Environment, Interpreter, Template } from '@huggingface/jinja';
import { PithError } from '../util/errors.ts';

/** One turn of a conversation; fields beyond these (`tool_calls`, `name`) reach the template too. */
export interface ChatMessage {
  readonly role: string;
  readonly content: unknown;
  readonly [field: string]: unknown;
}

/** What a template may use beside the messages. */
export interface RenderOptions {
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** End with the opening of an assistant turn, so that the model answers. Default false. */
  readonly addGenerationPrompt?: boolean;
  /** JSON schemas of functions that the model may call. */
  readonly tools?: readonly unknown[];
  /** What `strftime_now` tells the template; local time, default now. Set it to repeat a prompt. */
  readonly date?: Date;
  /** Further template variables, for example `{ enable_thinking: false }`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** As in jinja2's sandbox: a template may not count further. */
const maxRange = 100_000;

/**
 * Renders a conversation with a model's chat template, as `apply_chat_template` of transformers does.
 *
 * @param template - Jinja source, from `tokenizer.chat_template`.
 * @returns The prompt; it usually holds the bos token, so encode it without adding special tokens.
 * @throws {@link PithError} `corrupt` for a template that is not Jinja; `unsupported` when it refuses
 *   the messages (`raise_exception`) or uses what `@huggingface/jinja` 0.5.11 does not know.
 * @remarks Runs the template: give only templates of models that you would run.
 */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  options: RenderOptions = {},
): string {
  const compiled = compile(template);
  let refusal: string | undefined;
  const refuse = (message: unknown) => {
    refusal = String(message);
    throw new Error(refusal);
  };
  try {
    const environment = new Environment();
    for (const [name, value] of Object.entries({
      ...globals(options.date ?? new Date()),
      raise_exception: refuse,
      ...variables(messages, options),
    }))
      environment.set(name, value);
    return String(new Interpreter(environment).run(compiled.parsed).value);
  } catch (cause) {
    const why =
      refusal === undefined
        ? `The chat template failed: ${(cause as Error).message}`
        : `The chat template refuses these messages: ${refusal}`;
    throw new PithError(
      'unsupported',
      why,
      `Change the messages (roles: ${messages.map((message) => message.role).join(', ') || 'none'}) or the template.`,
      { cause },
    );
  }
}

/** Every template sees these names, spelled as in Jinja and as in Python. */
function globals(date: Date): Record<string, unknown> {
  return {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    range: boundedRange,
    strftime_now: (format: string) => strftime(date, format),
  };
}

function variables(
  messages: readonly ChatMessage[],
  options: RenderOptions,
): Record<string, unknown> {
  return {
    messages: [...messages],
    bos_token: options.bosToken ?? '',
    eos_token: options.eosToken ?? '',
    add_generation_prompt: options.addGenerationPrompt ?? false,
    tools: options.tools ? [...options.tools] : null,
    documents: null,
    ...options.variables,
  };
}

const two = (value: number) => String(value).padStart(2, '0');

function strftime(date: Date, format: string): string {
  const month = (style: 'long' | 'short') =>
    new Intl.DateTimeFormat('en', { month: style }).format(date);
  const fields: Record<string, string> = {
    '%Y': String(date.getFullYear()),
    '%m': two(date.getMonth() + 1),
    '%d': two(date.getDate()),
    '%b': month('short'),
    '%B': month('long'),
    '%H': two(date.getHours()),
    '%M': two(date.getMinutes()),
    '%S': two(date.getSeconds()),
    '%%': '%',
  };
  return format.replaceAll(/%[A-Za-z%]/g, (field) => fields[field] ?? field);
}

function compile(template: string): Template {
  try {
    return new Template(template);
  } catch (cause) {
    throw new PithError(
      'corrupt',
      `The chat template (${template.length} characters) is not valid Jinja: ${(cause as Error).message}.`,
      'Check chat_template.jinja or chat_template in tokenizer_config.json.',
      { cause },
    );
  }
}

function boundedRange(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= maxRange)) throw new Error(`range() of ${count} numbers, more than ${maxRange}`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}
