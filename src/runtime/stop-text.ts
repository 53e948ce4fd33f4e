/**
 * Watches text that comes in pieces for texts that end it, and holds back what may be the beginning
 * of one.
 */
export class StopText {
  readonly #stops: readonly string[];
  #held = '';
  #stopped = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '');
  }

  /** Whether one of the texts has come; what follows it is dropped. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The part of the text so far that is certainly not a stop text. */
  push(text: string): string {
    const all = this.#held + text;
    const found = this.#stops
      .map((stop) => all.indexOf(stop))
      .filter((index) => index >= 0)
      .sort((a, b) => a - b)[0];
    this.#stopped = found !== undefined;
    const safe = found ?? all.length - this.#longestBeginning(all);
    this.#held = this.#stopped ? '' : all.slice(safe);
    return all.slice(0, safe);
  }

  /** What was held back, when the text ended without a stop text. */
  flush(): string {
    const text = this.#held;
    this.#held = '';
    return text;
  }

  /** Length of the longest end of `text` with which a stop text begins. */
  #longestBeginning(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = stop.length - 1; length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
