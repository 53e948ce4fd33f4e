import { readFile } from 'node:fs/promises';
import { parseReportData, type ReportData } from '../../evaluate/report/report-data.ts';
import { attempt } from '../../storage/system-error.ts';
import { PithError } from '../../util/errors.ts';

/**
 * Reads the data of a report, a `report.json`.
 *
 * @throws {@link PithError} `not-found`, `no-permission`, `io`; `corrupt` when it is no report, naming
 *   the first field that is wrong.
 */
export async function readReport(path: string): Promise<ReportData> {
  const text = await attempt('read', path, () => readFile(path, 'utf8'));
  return parseReportData(parseJson(text, path), path);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { message } = cause as Error;
    throw new PithError('corrupt', `${path} is not JSON: ${message}`, 'Give a report.json.', {
      cause,
    });
  }
}
