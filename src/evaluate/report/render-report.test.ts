import { beforeAll, describe, expect, test } from 'vitest';
import { elementsOf } from './element-parser.cases.ts';
import { exampleReport } from './example.cases.ts';
import { withInterval, shareWithInterval } from './numbers.ts';
import { plotsOf, renderReport, type RenderedReport } from './render-report.ts';
import { parseReportData, type ReportData } from './report-data.ts';

const hostile = `</title></style></svg><script>alert(1)</script><img src=x onerror=alert(2)>'"&\0\u001b\ud800]]>`;

/** The example with a hostile text wherever a report takes text. */
function hostileReport(): ReportData {
  const json = JSON.stringify(exampleReport, (key, value: unknown) => {
    const fixed = key === 'format' || key === 'at' || key === 'sha256' || key === 'currency';
    if (typeof value !== 'string' || fixed) return value;
    return value.startsWith('blk.') ? `${value}${hostile}` : `${value} ${hostile}`;
  });
  return parseReportData(JSON.parse(json), 'hostile');
}

let card: RenderedReport;
let hostileCard: RenderedReport;

beforeAll(async () => {
  [card, hostileCard] = await Promise.all([
    renderReport(exampleReport),
    renderReport(hostileReport()),
  ]);
});

test('the same data gives the same texts', async () => {
  expect(await renderReport(structuredClone(exampleReport))).toEqual(card);
});

test('the data beside the card is the data of the card', () => {
  expect(parseReportData(JSON.parse(card.json), 'report.json')).toEqual(exampleReport);
});

test('every plot is an SVG file of its own and stands in the page', () => {
  const ids = plotsOf(exampleReport).map(({ id }) => id);
  expect(ids).toEqual([
    'size-quality',
    'kl-histogram',
    'bias',
    'speed',
    'energy',
    'weight-error-1',
    'weight-error-2',
    'weight-error-3',
  ]);
  expect([...card.plots.keys()]).toEqual(ids.map((id) => `${id}.svg`));
  for (const id of ids) expect(card.html).toContain(`aria-labelledby="${id}-title ${id}-text"`);
});

test('documents are those of texts; a task is named as a task', async () => {
  const data = [...exampleReport.data, { name: 'blimp', kind: 'task' as const }];
  const { html } = await renderReport({ ...exampleReport, data });
  expect(html).toContain('documents (held-out.txt).');
  expect(html).toMatch(/<dt>Task<\/dt>\s*<dd>blimp<\/dd>/);
});

test('the last number of an axis ends inside the picture, however long it is', async () => {
  const { speed } = exampleReport.base;
  const decode = [{ ...speed!.decode[0]!, ceilingTokensPerSecond: 1180 }];
  const base = { ...exampleReport.base, speed: { ...speed!, decode } };
  const { plots } = await renderReport({ ...exampleReport, base });
  expect(plots.get('speed.svg')).toMatch(/text-anchor="end"[^>]*>1,200</);
});

/** Points of the curve in the plot of sizes. */
function curveOf(data: ReportData): unknown {
  const { spec } = plotsOf(data)[0]!;
  const found = spec.data!.find(({ name }) => name === 'frontier');
  return found && 'values' in found ? found.values : undefined;
}

test('the curve of predictions is one line of the four of six points that the axis has room for', () => {
  expect(curveOf(exampleReport)).toHaveLength(4);
  expect(card.plots.get('size-quality.svg')).toMatch(/class="mark-line/);
  const { frontier: _, ...without } = exampleReport;
  expect(curveOf(without)).toEqual([]);
  expect(plotsOf(without)[0]!.description).not.toContain('predicted');
});

test('the numbers on the page are those of the data', () => {
  for (const {
    label,
    klDivergence,
    topTokenAgreement,
    speed,
    weights,
  } of exampleReport.candidates) {
    expect(card.html).toContain(label);
    expect(card.html).toContain(withInterval(klDivergence!.mean));
    expect(card.html).toContain(shareWithInterval(topTokenAgreement!));
    expect(card.html).toContain(withInterval(speed!.decode[0]!.tokensPerSecond));
    for (const { name } of weights!.tensors) expect(card.html).toContain(name);
  }
});

describe.each([
  ['the example', () => card],
  ['a report of hostile texts', () => hostileCard],
])('%s', (_, rendered) => {
  test('is well formed and holds only the elements that Pith writes', () => {
    const names = new Set(elementsOf(rendered().html).map(({ name }) => name));
    for (const name of ['script', 'img', 'link', 'a', 'iframe', 'object', 'use', 'image', 'form']) {
      expect(names).not.toContain(name);
    }
    expect(names).toContain('svg');
    for (const svg of rendered().plots.values()) {
      const elements = elementsOf(svg);
      expect(elements[0]!.name).toBe('svg');
      const known = 'svg title desc style rect g path line text';
      expect(known.split(' ')).toEqual(expect.arrayContaining(elements.map(({ name }) => name)));
    }
  });

  test('loads nothing and runs nothing', () => {
    const texts = [rendered().html, ...rendered().plots.values()];
    for (const element of texts.flatMap(elementsOf)) {
      for (const [name, value] of element.attributes) {
        expect(name).not.toMatch(/^on|^(src|href|xlink:href|style|srcset|action)$/);
        expect(value).not.toMatch(/url\(|javascript:/);
      }
    }
    const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(
      rendered().html,
    )!;
    expect(policy).toMatch(/^default-src &#39;none&#39;; style-src &#39;sha256-[\w+/]{43}=&#39;;/);
    const withoutNamespace = texts.join('').replaceAll('xmlns="http://www.w3.org/2000/svg"', '');
    expect(withoutNamespace).not.toMatch(/https?:|@import|url\(/);
  });

  test('has every id once', () => {
    const ids = elementsOf(rendered().html).flatMap(({ attributes }) => attributes.get('id') ?? []);
    expect(ids.length).toBe(2 * rendered().plots.size);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('the style rules are those whose hash the policy allows', async () => {
  const [, style] = /<style>([^]*?)<\/style>/.exec(card.html)!;
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
  expect(card.html).toContain(`sha256-${Buffer.from(hash).toString('base64')}`);
});

test('a report of sizes alone has no plot and says that no quality was measured', async () => {
  const { label, file, bytes, bitsPerWeight } = exampleReport.candidates[0]!;
  const { base } = exampleReport;
  const { quality, continuation, ...rest } = exampleReport;
  expect(quality && continuation).toBeDefined();
  const rendered = await renderReport({
    ...rest,
    base: { label: base.label, file: base.file, bytes: base.bytes, bitsPerWeight: 16 },
    candidates: [{ label, file, bytes, bitsPerWeight }],
  });
  expect(rendered.plots.size).toBe(0);
  expect(rendered.html).toContain('No quality was measured for this card.');
});

test('an interval that reaches zero makes the axis of divergences linear', async () => {
  const report = structuredClone(exampleReport);
  report.candidates[0]!.klDivergence!.mean = { value: 0.0001, low: -0.0001, high: 0.0003 };
  const [plot] = plotsOf(report);
  expect(plot!.spec.scales).toContainEqual(expect.objectContaining({ name: 'kl', type: 'linear' }));
  await expect(renderReport(report)).resolves.toBeDefined();
});
