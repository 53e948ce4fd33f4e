import { PithError } from '../../util/errors.ts';
import {
  environmentOf,
  parseTemplate,
  plainValue,
  StrictInterpreter,
  type JinjaProgram,
} from './jinja.ts';
import type { Row } from './row.ts';

/** Nodes that give text, not a value. */
const statements = new Set([
  'If',
  'For',
  'Set',
  'Macro',
  'Comment',
  'CallStatement',
  'FilterStatement',
]);

/** A field of a task that is a Jinja template over the fields of a row, or the name of one. */
export class RowTemplate {
  readonly #source: string;
  readonly #name: string;
  readonly #program: JinjaProgram;

  /**
   * @param name - `file: field`, for messages.
   * @throws {@link PithError} `corrupt` when it is not Jinja.
   * @remarks Templates may come from strangers: they see a row and nothing else, no `range`, and take
   *   the time of their loops over it.
   */
  constructor(source: string, name: string) {
    this.#source = source;
    this.#name = name;
    this.#program = this.#explained(name, () => parseTemplate(source));
  }

  /**
   * The text for a row.
   *
   * @throws {@link PithError} `corrupt` with `file:line` when the row lacks a field.
   */
  text(row: Row): string {
    const value = this.value(row);
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  /** As `text`; but a field, and a template of one expression, keeps its type. */
  value({ values, where }: Row): unknown {
    if (Object.hasOwn(values, this.#source)) return values[this.#source];
    const [only, ...others] = this.#program.body;
    if (only === undefined) return '';
    return this.#explained(`${where}: ${this.#name}`, () => {
      const environment = environmentOf(values);
      const interpreter = new StrictInterpreter(environment);
      return others.length === 0 && !statements.has(only.type)
        ? plainValue(interpreter.evaluate(only, environment))
        : String(interpreter.run(this.#program).value);
    });
  }

  #explained<T>(where: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new PithError(
        'corrupt',
        `${where}: the template ${JSON.stringify(this.#source)} fails: ${(cause as Error).message}.`,
        'Check its syntax (Jinja), and the names of its fields against a row.',
        { cause },
      );
    }
  }
}
