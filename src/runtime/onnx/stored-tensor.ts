import type { StoredTensor } from '../../graph/engine.ts';
import type { ElementType, Shape } from '../../graph/value.ts';
import { PithError } from '../../util/errors.ts';
import type { Line } from './line.ts';

/** A tensor in the engine's thread, known here by its number. */
export class OnnxStoredTensor implements StoredTensor {
  readonly type: ElementType;
  readonly shape: Shape;
  readonly #line: Line;
  readonly #number: number;
  #released = false;

  constructor(line: Line, number: number, { type, shape }: Pick<StoredTensor, 'type' | 'shape'>) {
    this.type = type;
    this.shape = shape;
    this.#line = line;
    this.#number = number;
  }

  /**
   * Its number on this line.
   *
   * @throws PithError `engine` when it was released or lies at another engine.
   */
  numberOn(line: Line, name: string): number {
    if (this.#released) throw new PithError('engine', `The tensor given as ${name} was released.`);
    if (this.#line !== line)
      throw new PithError('engine', `The tensor given as ${name} lies at another engine.`);
    return this.#number;
  }

  /** Frees its memory once no run uses it; a second call does nothing. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#line.ask({ kind: 'release', tensor: this.#number });
  }
}
