import type { Area, Products, SubtractProducts } from './linear-algebra/products.ts';
import type { WasmMemory } from './wasm-memory.ts';

type Numbers = Float32Array | Float64Array;
type Kind<A> = new (buffer: ArrayBuffer, offset: number, length: number) => A;
type Six = [number, number, number, number, number, number];
/** From, the steps in bytes between its rows and its columns, rows, columns, to. */
type Pack = (...args: Six) => void;
/** To, its stride in bytes, rows, depth, packed left operand, packed right operand. */
type Subtract = (...args: Six) => void;

/** What is worked on at a time: operands and targets stay in the second-level cache. */
const most = { rows: 64, depth: 256, columns: 1024 };
/** Columns are worked on in strips of this many bytes, rows in fours. */
const strip = 32;

interface Span {
  readonly first: number;
  readonly count: number;
}

/** Where the parts of a piece lie in wasm memory, in bytes. */
interface Layout {
  readonly raw: number;
  readonly left: number;
  readonly right: number;
  readonly target: number;
}

/** `subtractProducts` by SIMD: pieces of any arrays are copied into wasm memory, worked on and copied back. */
export function wasmProducts(memory: WasmMemory): SubtractProducts {
  const single = new Multiplier<Float32Array>(memory, 'F32', Float32Array);
  const double = new Multiplier<Float64Array>(memory, 'F64', Float64Array);
  return (products: Products<Numbers>) =>
    products.target.values instanceof Float32Array
      ? single.subtract(products as Products<Float32Array>)
      : double.subtract(products as Products<Float64Array>);
}

class Multiplier<A extends Numbers> {
  readonly #memory: WasmMemory;
  readonly #kind: Kind<A>;
  readonly #size: 4 | 8;
  readonly #packStrips: Pack;
  readonly #packGroups: Pack;
  readonly #subtract: Subtract;
  /** All of the memory as numbers. */
  #all: A;

  constructor(memory: WasmMemory, type: 'F32' | 'F64', kind: Kind<A>) {
    this.#memory = memory;
    this.#kind = kind;
    this.#size = type === 'F32' ? 4 : 8;
    this.#packStrips = memory.function(`packStrips_${type}`);
    this.#packGroups = memory.function(`packGroups_${type}`);
    this.#subtract = memory.function(`subtract_${type}`);
    this.#all = memory.view(kind, 0, 0);
  }

  subtract({ target, left, right, rows, columns, depth }: Products<A>): void {
    const layout = this.#reserve(rows, columns, depth);
    for (const across of spans(columns, most.columns))
      for (const deep of spans(depth, most.depth)) {
        this.#takeRight(right, deep, across, layout);
        for (const down of spans(rows, most.rows)) {
          this.#takeLeft(left, down, deep, layout);
          this.#update(target, down, across, { deep, layout });
        }
      }
  }

  #update(
    target: Area<A>,
    down: Span,
    across: Span,
    { deep, layout }: { deep: Span; layout: Layout },
  ): void {
    const { values, stride } = target;
    const width = this.#wide(across.count);
    const place = layout.target / this.#size;
    this.#copyIn(target, down, across, layout.target);
    const { left, right } = layout;
    this.#subtract(layout.target, width * this.#size, down.count, deep.count, left, right);
    for (let row = 0; row < down.count; row++) {
      const from = place + row * width;
      const to = target.at + (down.first + row) * stride + across.first;
      values.set(this.#all.subarray(from, from + across.count), to);
    }
  }

  #takeRight(right: Area<A>, deep: Span, across: Span, { raw, right: to }: Layout): void {
    const size = this.#size;
    if (right.transposed) {
      this.#copyIn(right, across, deep, raw);
      const step = this.#wide(deep.count) * size;
      this.#packStrips(raw, size, step, deep.count, across.count, to);
    } else {
      this.#copyIn(right, deep, across, raw);
      const step = this.#wide(across.count) * size;
      this.#packStrips(raw, step, size, deep.count, across.count, to);
    }
  }

  #takeLeft(left: Area<A>, down: Span, deep: Span, { raw, left: to }: Layout): void {
    const size = this.#size;
    if (left.transposed) {
      this.#copyIn(left, deep, down, raw);
      const step = this.#wide(down.count) * size;
      this.#packGroups(raw, size, step, down.count, deep.count, to);
    } else {
      this.#copyIn(left, down, deep, raw);
      const step = this.#wide(deep.count) * size;
      this.#packGroups(raw, step, size, down.count, deep.count, to);
    }
  }

  /** Copies a rectangle, as it is stored, to rows of whole strips. */
  #copyIn({ values, at, stride }: Area<A>, down: Span, across: Span, to: number): void {
    const width = this.#wide(across.count);
    const place = to / this.#size;
    for (let row = 0; row < down.count; row++) {
      const from = at + (down.first + row) * stride + across.first;
      this.#all.set(values.subarray(from, from + across.count), place + row * width);
    }
  }

  #wide(count: number): number {
    const lanes = strip / this.#size;
    return Math.ceil(count / lanes) * lanes;
  }

  #reserve(rows: number, columns: number, depth: number): Layout {
    const down = Math.ceil(Math.min(rows, most.rows) / 8) * 8 * this.#size;
    const across = this.#wide(Math.min(columns, most.columns)) * this.#size;
    const deep = this.#wide(Math.min(depth, most.depth));
    const left = this.#memory.base + Math.max(down, across) * deep;
    const right = left + down * deep;
    const target = right + across * deep;
    this.#memory.reserve(target + (down / this.#size) * across);
    if (this.#all.buffer !== this.#memory.buffer) {
      const { buffer } = this.#memory;
      this.#all = this.#memory.view(this.#kind, 0, Math.floor(buffer.byteLength / this.#size));
    }
    return { raw: this.#memory.base, left, right, target };
  }
}

function spans(length: number, most: number): Span[] {
  const count = Math.ceil(length / most);
  return Array.from({ length: count }, (_, at) => ({
    first: at * most,
    count: Math.min(most, length - at * most),
  }));
}
