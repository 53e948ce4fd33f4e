/** Text that is markup already and goes into a page as it is. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a page is made of; strings are text, never markup. */
export type Content = string | number | Markup | undefined | readonly Content[];

/**
 * Characters that neither XML 1.0 nor HTML allows in text (most controls, halves of pairs, U+FFFE), and
 * those that turn the order of the text after them.
 */
const forbidden =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|\p{Surrogate}/gu;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Puts a replacement character in place of those that no page may hold. */
export function withoutForbidden(text: string): string {
  return text.replace(forbidden, '\ufffd');
}

/** Text as it stands in an element or a quoted attribute of HTML and SVG. */
export function escapeText(text: string): string {
  return withoutForbidden(text).replace(/[&<>"']/g, (character) => entities[character]!);
}

/** Markup from a template: everything filled in is escaped unless it is `Markup` itself. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(parts.map((part, at) => part + render(contents[at])).join(''));
}

function render(content: Content): string {
  if (content === undefined) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'object') return content.map(render).join('');
  return escapeText(String(content));
}
