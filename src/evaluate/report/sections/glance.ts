import { formatBytes, formatInteger } from '../../../util/format-units.ts';
import { html, type Markup } from '../markup.ts';
import { digits, shareWithInterval, withInterval } from '../numbers.ts';
import { seriesInk } from '../palette.ts';
import type { Candidate, ReportData } from '../report-data.ts';

type Fact = readonly [name: string, value: string];

/** What the card is about, and each version's main figures. */
export function glance(data: ReportData): Markup {
  const { base, candidates, model } = data;
  const versions =
    candidates.length === 1 ? 'one smaller version' : `${candidates.length} smaller versions`;
  return html`<header>
      <p class="eyebrow">Pith proof card</p>
      <h1><bdi>${model}</bdi></h1>
      <p class="lead">
        The original takes ${formatBytes(base.bytes)}. This card shows what ${versions} of it kept,
        what was lost, and how sure that is.
      </p>
      <p class="small">
        ${measuredOn(data)} Ranges in brackets are 95 % intervals: what other text of the same kind
        would be expected to give.
      </p>
    </header>
    <div class="tiles">${candidates.map((candidate, at) => tile(candidate, at, data))}</div> `;
}

function measuredOn({ quality, data }: ReportData): string {
  if (quality === undefined) return 'No quality was measured for this card.';
  const texts = data.flatMap(({ name, kind }) => (kind === 'task' ? [] : [name])).join(', ');
  return (
    `Measured on ${formatInteger(quality.scoredTokens)} tokens of ` +
    `${formatInteger(quality.documents)} documents${texts === '' ? '' : ` (${texts})`}.`
  );
}

/** The colour that a version has in every plot. */
export function dot(color: string): Markup {
  return html`<svg class="dot" viewBox="0 0 10 10" aria-hidden="true">
    <circle cx="5" cy="5" r="5" fill="${color}" />
  </svg>`;
}

function tile(candidate: Candidate, at: number, { base }: ReportData): Markup {
  const { label, bytes, bitsPerWeight } = candidate;
  return html`<article class="tile">
    <h3>${dot(seriesInk(at).light)}<bdi>${label}</bdi></h3>
    <p class="big">${ratio(base.bytes / bytes)}</p>
    <p class="under">${formatBytes(bytes)}, ${bitsPerWeight.toFixed(2)} bits per weight</p>
    <dl>
      ${factsOf(candidate).map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
  </article> `;
}

function ratio(times: number): string {
  return times >= 1 ? `${digits(times)}\u00d7 smaller` : `${digits(1 / times)}\u00d7 larger`;
}

function factsOf(candidate: Candidate): Fact[] {
  const { topTokenAgreement, klDivergence, perplexity, perplexityRatio } = candidate;
  const { speed, weights } = candidate;
  const facts: Fact[] = [];
  if (topTokenAgreement) facts.push(['Same next token', shareWithInterval(topTokenAgreement)]);
  if (klDivergence) {
    facts.push(['KL divergence, nats per token', withInterval(klDivergence.mean)]);
  }
  if (perplexity) facts.push(['Perplexity', withInterval(perplexity)]);
  if (perplexityRatio)
    facts.push(['Perplexity, times the original\u2019s', withInterval(perplexityRatio)]);
  if (speed) {
    facts.push(['Tokens per second', withInterval(speed.decode[0]!.tokensPerSecond)]);
    facts.push(['Memory while running', formatBytes(speed.peakMemoryBytes)]);
  }
  if (weights) facts.push(['Weight error', `${digits(weights.relativeError * 100)} %`]);
  return facts;
}
