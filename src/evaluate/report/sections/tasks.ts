import { formatInteger } from '../../../util/format-units.ts';
import { html, type Content } from '../markup.ts';
import { digits, shareWithInterval, signedWithInterval, withInterval } from '../numbers.ts';
import type { ReportData } from '../report-data.ts';
import { tableOf } from './figures.ts';

/** Scores on task files, with the paired change. */
export function tasks({ base, candidates }: ReportData): Content {
  const rows = [base, ...candidates].flatMap(({ label, tasks = [] }) =>
    tasks.map((task) => [
      task.name,
      task.metric,
      label,
      withInterval(task.score),
      task.difference === undefined ? '' : signedWithInterval(task.difference),
      task.retention === undefined ? '' : shareWithInterval(task.retention),
      task.chance === undefined ? '' : digits(task.chance),
      formatInteger(task.rows),
    ]),
  );
  if (rows.length === 0) return undefined;
  rows.sort((a, b) => order(a).localeCompare(order(b), 'en'));
  const columns = [
    'Task',
    'Metric',
    'Version',
    'Score',
    'Change',
    'Kept above chance',
    'Chance',
    'Rows',
  ];
  return html`<section>
    <h2>Tasks</h2>
    <p>
      How often each version answers as it should. The change is against the original on the same
      rows; a range that holds 0 cannot be told from chance.
    </p>
    <div class="scroll tasks" tabindex="0" role="region" aria-label="Table of task scores">
      ${tableOf({ columns, rows })}
    </div>
  </section> `;
}

/** Versions of one figure stand beneath each other, in the order of the card. */
function order([task, metric]: readonly string[]): string {
  return `${task} ${metric}`;
}
