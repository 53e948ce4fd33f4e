import * as jinja from '@huggingface/jinja';

/** The parts of a syntax tree that are looked at. */
export interface JinjaNode {
  readonly type: string;
  readonly value?: unknown;
  readonly callee?: JinjaNode;
  readonly args?: readonly JinjaNode[];
  readonly object?: JinjaNode;
  readonly property?: JinjaNode;
  readonly computed?: boolean;
  readonly filter?: JinjaNode;
}

/** A syntax tree. */
export interface JinjaProgram extends JinjaNode {
  readonly body: readonly JinjaNode[];
}

/** A value while a template runs. */
export interface JinjaValue {
  readonly type: string;
  readonly value: unknown;
}

/** The names that a template sees. */
export interface JinjaEnvironment {
  set(name: string, value: unknown): JinjaValue;
}

interface JinjaInterpreter {
  run(program: JinjaProgram): JinjaValue;
  evaluate(node: JinjaNode | undefined, environment: JinjaEnvironment): JinjaValue;
}

// The types of @huggingface/jinja 0.5.11 import each other without file extensions, which TypeScript does
// not resolve here: all of them are `any`. These are the parts that are used.
const library = jinja as unknown as {
  readonly Environment: new () => JinjaEnvironment;
  readonly Interpreter: new (environment: JinjaEnvironment) => JinjaInterpreter;
  tokenize(source: string): unknown;
  parse(tokens: unknown): JinjaProgram;
};

/** Parses a template; a line break at its end stays, as with jinja2's `keep_trailing_newline`. */
export function parseTemplate(source: string): JinjaProgram {
  return library.parse(library.tokenize(source.endsWith('\n') ? `${source}\n` : source));
}

/** An environment of the given names. */
export function environmentOf(values: Readonly<Record<string, unknown>>): JinjaEnvironment {
  const environment = new library.Environment();
  for (const [name, value] of Object.entries(values)) environment.set(name, value);
  return environment;
}

/** The JavaScript value of a template's value. */
export function plainValue({ value }: JinjaValue): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries(
    [...(value as Map<string, JinjaValue>)].map(([key, item]) => [key, plainValue(item)]),
  );
}

/** Jinja as lm-evaluation-harness runs it: unknown names fail, and lists know `index`. */
export class StrictInterpreter extends library.Interpreter {
  /** Inside `x is defined` and `x | default(y)`, x may be unknown. */
  #lenient = 0;

  override evaluate(node: JinjaNode | undefined, environment: JinjaEnvironment): JinjaValue {
    const listIndex = this.#listIndex(node, environment);
    if (listIndex) return listIndex;
    const lenient = node !== undefined && takesUnknown(node);
    this.#lenient += Number(lenient);
    const value = super.evaluate(node, environment);
    this.#lenient -= Number(lenient);
    const unknown = value.type === 'UndefinedValue' && this.#lenient === 0;
    if (!unknown || !(node?.type === 'Identifier' || node?.type === 'MemberExpression'))
      return value;
    throw new Error(`the row has no "${String(node.property?.value ?? node.value)}"`);
  }

  /** Python's `list.index(value)`. */
  #listIndex(node: JinjaNode | undefined, environment: JinjaEnvironment): JinjaValue | undefined {
    const { callee, args = [] } = node ?? {};
    if (callee?.property?.value !== 'index' || callee.computed || args.length !== 1)
      return undefined;
    const list = plainValue(this.evaluate(callee.object, environment));
    if (!Array.isArray(list)) return undefined;
    const value = plainValue(this.evaluate(args[0], environment));
    const at = list.indexOf(value);
    if (at < 0) throw new Error(`${JSON.stringify(value)} is not in ${JSON.stringify(list)}`);
    return new library.Environment().set('index', at);
  }
}

function takesUnknown(node: JinjaNode): boolean {
  return node.type === 'TestExpression' || node.filter?.callee?.value === 'default';
}
