import { expect, test } from 'vitest';
import { darkSvgRules, heatInks, inks, palette, seriesInks } from './palette.ts';

/** Relative luminance by WCAG 2.2. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

test.each(['light', 'dark'] as const)(
  'by %s text stands out 4.5 : 1 from paper and panel, series 3 : 1 (WCAG 2.2 AA)',
  (time) => {
    for (const { [time]: text } of [palette.ink, palette.muted]) {
      expect(contrast(text, palette.paper[time])).toBeGreaterThan(4.5);
      expect(contrast(text, palette.panel[time])).toBeGreaterThan(4.5);
    }
    for (const { [time]: color } of [...seriesInks, palette.bar]) {
      expect(contrast(color, palette.paper[time])).toBeGreaterThan(3);
    }
    const steps = heatInks.map(({ [time]: color }) => contrast(color, palette.paper[time]));
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  },
);

test('every colour by day has one rule for fill and one for stroke, so none may occur twice', () => {
  expect(new Set(inks.map(({ light }) => light)).size).toBe(inks.length);
  expect(darkSvgRules().match(/svg \[/g)).toHaveLength(2 * inks.length);
});
