import { expect, test } from 'vitest';
import { exampleReport } from './example.cases.ts';
import { parseReportData, type ReportData } from './report-data.ts';

test('the data comes back from its JSON as it was', () => {
  const json: unknown = JSON.parse(JSON.stringify(exampleReport));
  expect(parseReportData(json, 'report.json')).toEqual(exampleReport);
});

function changed(change: (report: { -readonly [K in keyof ReportData]: ReportData[K] }) => void) {
  const report = structuredClone(exampleReport);
  change(report);
  return () => parseReportData(report, 'x.json');
}

test('a wrong field is refused by name', () => {
  expect(() => parseReportData('text', 'x.json')).toThrow(/x\.json is not a report .* it: /);
  expect(changed((report) => (report.format = 'pith-report/2' as 'pith-report/1'))).toThrow(
    /its field format/,
  );
  expect(
    changed((report) => (report.candidates[0]!.klDivergence!.mean = { value: 1, low: 2, high: 3 })),
  ).toThrow(/candidates\.0\.klDivergence\.mean: is outside its own interval/);
  expect(changed((report) => report.candidates[0]!.klHistogram!.counts.pop())).toThrow(
    /klHistogram: needs one count a bin/,
  );
  expect(changed((report) => (report.candidates[1]!.label = report.base.label))).toThrow(
    /two versions with one label/,
  );
  expect(changed((report) => Object.assign(report, { extra: 1 }))).toThrow(/extra/);
});
