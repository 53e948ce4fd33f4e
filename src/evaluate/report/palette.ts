/** One colour by day and by night, as six hexadecimal digits. */
export interface Ink {
  readonly light: string;
  readonly dark: string;
}

/**
 * The report's colours. The light ones stand in every SVG as they are, and style rules replace them
 * in the dark, so no light colour may occur twice.
 *
 * Series hues are those of Okabe and Ito 2008, told apart with every common colour blindness, darkened
 * to a contrast of at least 3 : 1 on paper (checked by a test); text has at least 4.5 : 1.
 */
export const palette = {
  paper: { light: '#fcfbf9', dark: '#161615' },
  panel: { light: '#f3f1ec', dark: '#20201e' },
  ink: { light: '#1d1c1a', dark: '#ecebe7' },
  muted: { light: '#625f58', dark: '#a8a59c' },
  rule: { light: '#dedad2', dark: '#363531' },
  bar: { light: '#8d8a83', dark: '#7d7a73' },
} as const satisfies Record<string, Ink>;

/** Colours of the candidates, in their order. */
export const seriesInks: readonly Ink[] = [
  { light: '#0067a8', dark: '#6db8ec' },
  { light: '#c2500a', dark: '#f79a63' },
  { light: '#00785a', dark: '#4ecaa0' },
  { light: '#9a4a84', dark: '#e39ccb' },
  { light: '#7c6a00', dark: '#d6c14a' },
  { light: '#41546b', dark: '#a9bbd1' },
  { light: '#a3202f', dark: '#f58a94' },
  { light: '#5a45a8', dark: '#b5a5f2' },
];

/** Small to large in a heat map: further from the paper is more. */
export const heatInks: readonly Ink[] = [
  { light: '#e3edf5', dark: '#1d2a35' },
  { light: '#c3d9ea', dark: '#21394d' },
  { light: '#98c0dd', dark: '#264d6c' },
  { light: '#66a2cc', dark: '#30678f' },
  { light: '#3a80b3', dark: '#4587b6' },
  { light: '#1d5f93', dark: '#74aed8' },
  { light: '#0c3f69', dark: '#b5d7f0' },
];

/** Every colour once. */
export const inks: readonly Ink[] = [...Object.values(palette), ...seriesInks, ...heatInks];

/** The colour of candidate `index`. */
export function seriesInk(index: number): Ink {
  return seriesInks[index % seriesInks.length]!;
}

/** Style rules that give an SVG its dark colours. */
export function darkSvgRules(): string {
  const rules = inks.flatMap(({ light, dark }) => [
    `svg [fill="${light}"]{fill:${dark}}`,
    `svg [stroke="${light}"]{stroke:${dark}}`,
  ]);
  return `@media (prefers-color-scheme:dark){${rules.join('')}}`;
}
