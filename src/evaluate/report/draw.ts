import type { Loader } from 'vega';
import { PithError } from '../../util/errors.ts';
import { escapeText, Markup, withoutForbidden } from './markup.ts';
import { darkSvgRules, palette } from './palette.ts';
import type { Plot } from './plots/plot.ts';

/** A plot as SVG, twice. */
export interface Drawing {
  readonly plot: Plot;
  /** For a page whose style rules hold `darkSvgRules()`. */
  readonly inline: Markup;
  /** A whole file: paper behind it, and its own rules for the dark. */
  readonly file: string;
}

/**
 * Draws a plot with Vega: no browser, no canvas, no network; the same plot gives the same text.
 *
 * The SVG has a title and a description for screen readers and holds no script, style attribute, link
 * or image.
 *
 * @throws {@link PithError} `engine` when Vega warns or fails.
 */
export async function drawPlot(plot: Plot): Promise<Drawing> {
  const { parse, View } = await import('vega');
  const view = new View(parse(plot.spec), { renderer: 'none', loader: closed, logger: strict });
  try {
    const svg = withoutForbidden(await view.toSVG());
    const { width, height } = sizeOf(svg);
    const body = svg.slice(svg.indexOf('>') + 1);
    const head =
      `viewBox="0 0 ${width} ${height}" role="img" ` +
      `aria-labelledby="${plot.id}-title ${plot.id}-text">` +
      `<title id="${plot.id}-title">${escapeText(plot.title)}</title>` +
      `<desc id="${plot.id}-text">${escapeText(plot.description)}</desc>`;
    return {
      plot,
      inline: new Markup(`<svg ${head}${body}`),
      file:
        `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${head}` +
        `<style>${darkSvgRules()}</style>` +
        `<rect width="${width}" height="${height}" fill="${palette.paper.light}"/>${body}\n`,
    };
  } finally {
    view.finalize();
  }
}

function sizeOf(svg: string): { width: string; height: string } {
  const [, width, height] = /^<svg[^>]* viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
  if (width === undefined || height === undefined) throw failed('its SVG states no size');
  return { width, height };
}

function failed(what: string): PithError {
  return new PithError('engine', `Vega did not draw a plot of the report: ${what}.`);
}

function refuse(): never {
  throw failed('it asked for a file, and a report loads nothing');
}

const closed = { load: refuse, sanitize: refuse, http: refuse, file: refuse } as unknown as Loader;

/** Vega says in its log what it left out; a report leaves out nothing. */
const strict = {
  level: () => strict,
  error: (...what: readonly unknown[]): never => {
    throw failed(what.join(' '));
  },
  warn: (...what: readonly unknown[]): never => {
    throw failed(what.join(' '));
  },
  info: () => strict,
  debug: () => strict,
};
