import type { ProgressEvent } from '../../util/progress.ts';
import {
  formatBytes,
  formatDuration,
  formatInteger,
  threeDigits,
} from '../../util/format-units.ts';
import { displayWidth } from './table.ts';

/** What the bar needs of a stream: `process.stderr` has it. */
export interface BarStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const drawEveryMs = 80;
const lineEveryMs = 10_000;
const barCells = 24;

/**
 * Shows progress events on a terminal as one line that redraws itself, and elsewhere as one plain
 * line every ten seconds.
 *
 * Speed and time left come from the work done since the first event, so that a resumed job, which
 * starts at more than 0, is not taken for a fast one. A falling `done` or another `total` starts
 * a new bar.
 */
export class ProgressBar {
  readonly #stream: BarStream;
  readonly #now: () => number;
  #first: { readonly event: ProgressEvent; readonly time: number } | undefined;
  #last: ProgressEvent | undefined;
  #drawnAt = -Infinity;
  #visible = false;

  /** @param now - Milliseconds, from any start; a test passes its own clock. */
  constructor(stream: BarStream, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  update(event: ProgressEvent): void {
    const time = this.#now();
    const last = this.#last;
    this.#last = event;
    if (!this.#first || !last || event.total !== last.total || event.done < last.done) {
      this.#first = { event, time };
      this.#drawnAt = this.#stream.isTTY ? -Infinity : time;
    }
    const interval = this.#stream.isTTY ? drawEveryMs : lineEveryMs;
    if (time - this.#drawnAt < interval) return;
    this.#drawnAt = time;
    this.#draw(event, (time - this.#first.time) / 1000);
  }

  /** Takes the bar off the screen, so that other text can be written. */
  clear(): void {
    if (this.#visible) this.#stream.write('\r\u001b[K');
    this.#visible = false;
    this.#drawnAt = this.#stream.isTTY ? -Infinity : this.#drawnAt;
  }

  #draw(event: ProgressEvent, seconds: number): void {
    const facts = this.#facts(event, seconds);
    if (!this.#stream.isTTY) {
      this.#stream.write(`${[...facts, event.label].filter(Boolean).join(', ')}\n`);
      return;
    }
    const filled = Math.round(barCells * share(event));
    const bar = '━'.repeat(filled) + '─'.repeat(barCells - filled);
    const line = `${bar} ${facts.join('  ')}  ${event.label}`;
    this.#stream.write(`\r\u001b[K${fit(line, (this.#stream.columns ?? 80) - 1)}`);
    this.#visible = true;
  }

  #facts(event: ProgressEvent, seconds: number): string[] {
    const percent = `${String(Math.floor(100 * share(event))).padStart(3)} %`;
    const advanced = event.done - this.#first!.event.done;
    if (seconds < 0.5 || advanced <= 0) return [percent];
    const rate = advanced / seconds;
    const left = formatSeconds(Math.ceil((event.total - event.done) / rate));
    return [percent, formatRate(rate, event.unit), `${left} left`];
  }
}

function share(event: ProgressEvent): number {
  return event.total > 0 ? Math.min(1, event.done / event.total) : 1;
}

/** An estimate has no decimals: `9 s`, `2 min 05 s`. */
function formatSeconds(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds);
}

function formatRate(rate: number, unit: ProgressEvent['unit']): string {
  if (unit === 'bytes') return `${formatBytes(rate)}/s`;
  return `${rate < 100 ? threeDigits(rate) : formatInteger(rate)} ${unit}/s`;
}

function fit(line: string, columns: number): string {
  if (displayWidth(line) <= columns) return line;
  const letters = Array.from(line);
  while (letters.length > 0 && displayWidth(letters.join('')) > columns - 1) letters.pop();
  return `${letters.join('')}…`;
}
