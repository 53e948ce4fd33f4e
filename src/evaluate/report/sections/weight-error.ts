import type { Drawing } from '../draw.ts';
import { html, type Content } from '../markup.ts';
import { percent } from '../numbers.ts';
import type { Candidate } from '../report-data.ts';
import { numbers } from './figures.ts';

/** The maps of weight errors, beside each other. */
export function weightErrors(
  drawings: readonly Drawing[],
  candidates: readonly Candidate[],
): Content {
  if (drawings.length === 0) return undefined;
  return html`<section>
    <h2>Weight error by layer</h2>
    <p>
      How far rounding moved the numbers inside the model, in % of their size. Darker by day, or
      brighter by night, is further. All maps share one scale, on which equal steps are equal
      ratios.
    </p>
    <div class="maps">
      ${drawings.map(({ plot, inline }) => {
        const outside = candidates.find(({ label }) => label === plot.title)?.weights;
        return html`<figure>
          <h3><bdi>${plot.title}</bdi></h3>
          ${inline}
          <figcaption>${outside && wholeModel(outside)}</figcaption>
          ${numbers(plot.table)}
        </figure> `;
      })}
    </div>
    <p class="small">
      An exact comparison of all weights, without an interval: nothing was sampled. How much an
      error matters differs from matrix to matrix; the figures above tell what it did.
    </p>
  </section> `;
}

/** Errors of the tensors that belong to no layer, which the map cannot place. */
function wholeModel({ relativeError, tensors }: NonNullable<Candidate['weights']>): string {
  const outside = tensors.filter(
    ({ name, relativeError: error }) => error > 0 && !name.startsWith('blk.'),
  );
  const names = outside.map(({ name, relativeError: error }) => `${name} ${percent(error)}`);
  return [`All together ${percent(relativeError)}`, ...names].join('; ') + '.';
}
