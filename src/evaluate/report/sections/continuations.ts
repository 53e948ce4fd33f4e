import { html, type Content, type Markup } from '../markup.ts';
import { seriesInk } from '../palette.ts';
import type { Candidate, ReportData } from '../report-data.ts';
import { alignTokens, type Run } from '../text-diff.ts';
import { dot } from './glance.ts';

/** The same prompt continued by the original and by each version, differing tokens marked. */
export function continuations(data: ReportData): Content {
  const { base, candidates, continuation } = data;
  const texts = candidates.flatMap((candidate, at) =>
    base.continuation && candidate.continuation
      ? [pair(base.continuation, candidate.continuation, candidate, at)]
      : [],
  );
  if (continuation === undefined || texts.length === 0) return undefined;
  const { prompt, temperature, seed } = continuation;
  const how =
    temperature === 0
      ? 'Each takes its likeliest token at every step.'
      : `Each draws its tokens with temperature ${temperature} and seed ${seed}.`;
  return html`<section>
    <h2>Before and after</h2>
    <p>
      The original and each version continue the same opening. Marked words stand in one of the two
      texts only. After the first difference two texts go their own ways, so that many marks need
      not mean a worse text.
    </p>
    <p class="small">${how} Opening: <bdi class="prompt">${prompt}</bdi></p>
    ${texts}
  </section> `;
}

function pair(
  before: readonly string[],
  after: readonly string[],
  { label }: Candidate,
  at: number,
): Markup {
  const { changed, firstDifference, ...runs } = alignTokens(before, after);
  const verdict =
    firstDifference === undefined
      ? `All ${after.length} tokens are the original\u2019s.`
      : `${changed} of ${after.length} tokens differ; the first difference is at token ${firstDifference + 1}.`;
  const both = html`<div class="pair">
    <div>
      <p class="under">Original</p>
      ${quote(runs.before.map(marked('del')))}
    </div>
    <div>
      <p class="under"><bdi>${label}</bdi></p>
      ${quote(runs.after.map(marked('ins')))}
    </div>
  </div>`;
  return html`<div class="text">
    <h3>${dot(seriesInk(at).light)}<bdi>${label}</bdi></h3>
    <p class="under">${verdict}</p>
    ${firstDifference === undefined ? quote(runs.after.map(marked('ins'))) : both}
  </div> `;
}

function quote(text: Content): Markup {
  return html`<blockquote dir="auto">${text}</blockquote>`;
}

/** A run of a text; the white space that a text may begin with is left out. */
function marked(element: 'ins' | 'del'): (run: Run, at: number) => Content {
  return ({ text, differs }, at) => {
    const shown = at === 0 ? text.trimStart() : text;
    if (!differs) return shown;
    return element === 'ins' ? html`<ins>${shown}</ins>` : html`<del>${shown}</del>`;
  };
}
