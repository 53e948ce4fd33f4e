import type { Node } from '../graph.ts';
import type { TensorData } from '../value.ts';

/** Constants up to this many bytes are compared by content, larger ones by being the same array. */
const comparedBytes = 256;

/** Finds nodes that compute the same from the same: operator, operands and attributes are equal. */
export class CommonNodes {
  readonly #nodes = new Map<string, Node>();
  readonly #arrays = new Map<TensorData, number>();

  /** An earlier node that computes what `node` does; remembers `node` when there is none. */
  find(node: Node): Node | undefined {
    const key = this.#keyOf(node);
    const known = this.#nodes.get(key);
    if (!known) this.#nodes.set(key, node);
    return known;
  }

  #keyOf({ op, inputs, attributes, outputs }: Node): string {
    const operands = inputs.map(({ id }) => id).join(',');
    const settings = { ...attributes };
    const data = settings['data'] as TensorData | undefined;
    if (data) settings['data'] = `${outputs[0]!.type} ${this.#contentOf(data)}`;
    return `${op}(${operands})${JSON.stringify(settings)}`;
  }

  #contentOf(data: TensorData): string {
    if (data.byteLength <= comparedBytes)
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).join();
    const number = this.#arrays.get(data) ?? this.#arrays.size;
    this.#arrays.set(data, number);
    return `#${number}`;
  }
}
