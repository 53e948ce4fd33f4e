import { join } from 'node:path';
import { renderReport } from '../../evaluate/report/render-report.ts';
import type { ReportData } from '../../evaluate/report/report-data.ts';
import { makeWritableFolder } from '../../storage/folder.ts';
import { writeAtomic } from '../../storage/write-atomic.ts';

/** What stands in the folder now. */
export interface WrittenReport {
  readonly html: string;
  readonly json: string;
  readonly plots: readonly string[];
}

/**
 * Writes the proof card into `folder`: `report.html`, `report.json` and an SVG file a plot; those of
 * an earlier report are replaced, other files stay.
 *
 * @throws {@link PithError} `no-permission`, `no-space`, `io`; `engine` when a plot cannot be drawn.
 */
export async function writeReport(data: ReportData, folder: string): Promise<WrittenReport> {
  const rendered = await renderReport(data);
  await makeWritableFolder(folder);
  const written: WrittenReport = {
    html: join(folder, 'report.html'),
    json: join(folder, 'report.json'),
    plots: [...rendered.plots.keys()].map((name) => join(folder, name)),
  };
  await writeAtomic(written.json, rendered.json);
  for (const [name, svg] of rendered.plots) await writeAtomic(join(folder, name), svg);
  await writeAtomic(written.html, rendered.html);
  return written;
}
