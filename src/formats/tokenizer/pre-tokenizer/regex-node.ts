import type { CharacterTest } from './regex-class.ts';

/** How many branches a quantifier tries and gives back. */
export type RepeatMode = 'greedy' | 'lazy' | 'possessive';

/** Places that consume nothing. */
export type Assertion =
  | 'line-start'
  | 'line-end'
  | 'text-start'
  | 'text-end'
  | 'last-line-end'
  | 'word-edge'
  | 'no-edge';

/** The parsed form of an Oniguruma regex, without captures. */
export type RegexNode =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'sequence'; readonly items: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly options: readonly RegexNode[] }
  | {
      readonly kind: 'repeat';
      readonly item: RegexNode;
      readonly min: number;
      readonly max: number;
      readonly mode: RepeatMode;
    }
  | {
      readonly kind: 'look';
      readonly item: RegexNode;
      readonly ahead: boolean;
      readonly negated: boolean;
    }
  | { readonly kind: 'atomic'; readonly item: RegexNode }
  | { readonly kind: 'assert'; readonly assertion: Assertion };
