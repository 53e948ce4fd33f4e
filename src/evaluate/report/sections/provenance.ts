import { formatBytes, formatInteger } from '../../../util/format-units.ts';
import { html, type Content } from '../markup.ts';
import { digits, exactBytes, signedWithInterval, withInterval } from '../numbers.ts';
import type { Candidate, ReportData } from '../report-data.ts';

type Disagreement = NonNullable<Candidate['disagreement']>;

/** What is needed to repeat the measurements, and to tell whether two cards are about one thing. */
export function provenance(report: ReportData): Content {
  const { made, base, candidates, notes } = report;
  const { machine, versions } = made;
  const checks = candidates.flatMap(({ label, disagreement }) =>
    disagreement === undefined ? [] : [engines(label, disagreement)],
  );
  return html`<section>
    <h2>How this was measured</h2>
    <dl class="facts">
      <dt>Made</dt>
      <dd>${made.at}, seed ${made.seed}</dd>
      ${
        made.command === undefined
          ? undefined
          : html`<dt>Command</dt>
              <dd><code>${made.command}</code></dd>`
      }
      <dt>Machine</dt>
      <dd>
        ${machine.cpu}, ${machine.cores} cores, ${formatBytes(machine.memoryBytes)} memory,
        ${machine.os} ${machine.arch}
      </dd>
      <dt>Software</dt>
      <dd>
        ${Object.entries(versions)
          .map(([name, version]) => `${name} ${version}`)
          .join(', ')}
      </dd>
      ${engine(report)}${report.data.map(dataSet)}${[base, ...candidates].map(
        ({ label, file, bytes, sha256 }) =>
          html`<dt>${label}</dt>
            <dd>${file}, ${exactBytes(bytes)}${hash(sha256)}</dd> `,
      )}${checks}
    </dl>
    ${
      notes.length === 0
        ? undefined
        : html`<ul>
            ${notes.map((note) => html`<li>${note}</li>`)}
          </ul>`
    }
  </section> `;
}

/** How far the two engines are apart. */
function engines(label: string, { logProb, klDivergence }: Disagreement): Content {
  const kl =
    klDivergence === undefined
      ? ''
      : `, and their mean KL divergences by ${signedWithInterval(klDivergence)} nats per token`;
  return html`<dt>${label}, two engines</dt>
    <dd>
      Log-probabilities of the file in llama.cpp and of its weights on ONNX Runtime differ by
      ${withInterval(logProb)}${kl}
    </dd> `;
}

function engine({ quality }: ReportData): Content {
  if (quality === undefined) return undefined;
  const { engine, device, windowTokens, scoredTokens, documents, interval } = quality;
  return html`<dt>Quality</dt>
    <dd>
      ${engine} on ${device}, ${formatInteger(scoredTokens)} scored tokens in windows of
      ${formatInteger(windowTokens)}, ${formatInteger(documents)} documents; intervals over
      ${formatInteger(interval.count)} ${interval.unit}, worth ${digits(interval.effective)} of one
      size
    </dd> `;
}

function dataSet({ name, kind, sha256, licence }: ReportData['data'][number]): Content {
  return html`<dt>${kind === 'task' ? 'Task' : 'Data'}</dt>
    <dd>${name}${licence === undefined ? '' : `, ${licence}`}${hash(sha256)}</dd> `;
}

function hash(sha256: string | undefined): Content {
  return sha256 === undefined ? undefined : html`<br /><code>sha256 ${sha256}</code>`;
}
