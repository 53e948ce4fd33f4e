import { html, type Content, type Markup } from '../markup.ts';
import type { Drawing } from '../draw.ts';
import type { PlotTable } from '../plots/plot.ts';

/** A section of one plot: what it says, the plot, how to read it, its numbers. */
export function plotSection(
  drawing: Drawing | undefined,
  meaning: Content,
  caption: Content,
  unfolded = false,
): Content {
  if (drawing === undefined) return undefined;
  const { plot, inline } = drawing;
  return html`<section>
    <h2>${plot.title}</h2>
    <p>${meaning}</p>
    <figure>
      ${inline}
      <figcaption>${caption}</figcaption>
    </figure>
    ${numbers(plot.table, unfolded)}
  </section> `;
}

/** The numbers of a plot, folded away unless `unfolded`. */
export function numbers(table: PlotTable, unfolded = false): Markup {
  return html`<details ${unfolded ? 'open' : ''}>
    <summary>The numbers</summary>
    <div class="scroll" tabindex="0" role="region" aria-label="Table of the numbers">
      ${tableOf(table)}
    </div>
  </details>`;
}

/** A table with a heading over every column. */
export function tableOf({ columns, rows }: PlotTable): Markup {
  return html`<table>
    <thead>
      <tr>
        ${columns.map((name) => html`<th scope="col">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (cells) =>
          html`<tr>
            ${cells.map((cell) => html`<td>${cell}</td>`)}
          </tr> `,
      )}
    </tbody>
  </table>`;
}
