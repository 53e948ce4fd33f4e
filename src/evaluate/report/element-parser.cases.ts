/** An element as it stands in a text. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

const voids = new Set(['meta', 'br', '!doctype']);
const tag = /<(\/?)(!?[A-Za-z][\w:-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/y;
const attribute = /([\w:-]+)(?:="([^"]*)")?/g;
const character = /&(?:amp|lt|gt|quot|#39);|[^<&]/y;

/**
 * Reads every element of a page or an SVG, by rules stricter than a browser's: quoted attributes,
 * known entities, every element closed in order.
 *
 * @throws Error at the first character that does not fit.
 */
export function elementsOf(text: string): Element[] {
  const elements: Element[] = [];
  const open: string[] = [];
  let at = 0;
  while (at < text.length) {
    const match = matchAt(tag, text, at) ?? matchAt(character, text, at);
    if (!match) throw new Error(`malformed at ${at}: ${text.slice(at, at + 60)}`);
    at += match[0].length;
    const [, closing, name, attributes, selfClosed] = match;
    if (name === undefined) continue;
    if (closing) {
      const last = open.pop();
      if (last !== name) throw new Error(`</${name}> closes <${last}> at ${at}`);
      continue;
    }
    const pairs = [...attributes!.matchAll(attribute)].map(
      ([, key, value = '']) => [key!, value] as const,
    );
    elements.push({ name, attributes: new Map(pairs) });
    if (selfClosed || voids.has(name)) continue;
    open.push(name);
    if (name === 'style') at = text.indexOf('</style>', at);
  }
  if (open.length > 0) throw new Error(`never closed: ${open.join(' ')}`);
  return elements;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
