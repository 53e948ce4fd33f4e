import { checkDecode, checkEncode, notFinite, weightsIn } from './checks.ts';
import type { EncodableType, EncodeError, Kernels, TranscodeJob } from './kernels.ts';
import { scalarDecoders } from './scalar.ts';
import type { TensorType } from '../tensor/dtypes.ts';
import { unitOf } from '../tensor/dtypes.ts';
import { PithError } from '../util/errors.ts';
import { wasmBase64 } from './generated/wasm-module.ts';

type DecodeExport = (bytes: number, units: number, values: number) => void;
type EncodeExport = (
  values: number,
  rows: number,
  columns: number,
  importance: number,
  out: number,
  stats: number,
) => void;

interface Exports {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
  firstNonFinite(values: number, count: number): number;
  readonly [name: string]: unknown;
}

/**
 * Types that the wasm kernels decode with the scalar decoder, straight into wasm memory: integers,
 * which hold no weights of a model in use, and the codebook formats, which nobody converts from.
 */
export const decodedByScalar: ReadonlySet<TensorType> = new Set<TensorType>([
  ...(['BOOL', 'U8', 'I8', 'U16', 'I16', 'U32', 'I32', 'U64', 'I64'] as const),
  ...(['IQ1_S', 'IQ1_M', 'IQ2_XXS', 'IQ2_XS', 'IQ2_S', 'IQ3_XXS', 'IQ3_S'] as const),
]);

const statsBytes = 16;
/** Vectors are read whole: a kernel may look this far past the end of a buffer. */
const overread = 64;
const align = (address: number) => (address + 15) & ~15;

let compiled: Promise<WebAssembly.Module> | undefined;

function compile(): Promise<WebAssembly.Module> {
  if (compiled) return compiled;
  const bytes = Uint8Array.from(atob(wasmBase64), (letter) => letter.charCodeAt(0));
  return (compiled = WebAssembly.compile(bytes));
}

/**
 * Instantiates the SIMD kernels with a linear memory of their own; one instance serves one thread.
 *
 * Memory grows to the largest call and stays: callers pass slabs of a few megabytes. Exports are
 * found by name: `encode_<type>(values, rows, columns, importance or 0, out, stats)` and
 * `decode_<type>(bytes, units, values)`; `stats` points to two f64: Σ (x − x̂)² and Σ x². Every
 * result equals the scalar kernels' bit for bit.
 */
export async function createWasmKernels(): Promise<Kernels> {
  const instance = await WebAssembly.instantiate(await compile(), {
    env: {
      abort() {
        throw new PithError('engine', 'The wasm kernels stopped on an internal error.');
      },
    },
  });
  return new WasmKernels(instance.exports as unknown as Exports);
}

/** Values in wasm memory that wait to be encoded. */
interface EncodeJob {
  readonly type: EncodableType;
  readonly columns: number;
  readonly weights: number;
  readonly source: number;
  readonly out: Uint8Array;
  readonly importance: Float32Array | undefined;
}

class WasmKernels implements Kernels {
  readonly name = 'wasm';
  readonly #exports: Exports;

  constructor(exports: Exports) {
    this.#exports = exports;
  }

  decode(type: TensorType, bytes: Uint8Array, values: Float32Array): void {
    checkDecode(type, bytes.length, values.length);
    if (decodedByScalar.has(type)) return scalarDecoders[type](bytes, values);
    const at = this.#decode(type, bytes, 0);
    values.set(this.#memory(Float32Array, at, weightsIn(type, bytes.length)));
  }

  encode(
    type: EncodableType,
    values: Float32Array,
    columns: number,
    out: Uint8Array,
    importance?: Float32Array,
  ): EncodeError {
    const source = this.#reserve(values.byteLength + encodeRoom(columns, out));
    const job = { type, columns, weights: values.length, source, out, importance };
    checkJob(job);
    this.#memory(Float32Array, source, values.length).set(values);
    return this.#encode(job);
  }

  transcode({ from, to, columns, bytes, out, importance }: TranscodeJob): EncodeError {
    const weights = weightsIn(from, bytes.length);
    const source = this.#decode(from, bytes, encodeRoom(columns, out));
    const job = { type: to, columns, weights, source, out, importance };
    checkJob(job);
    const bad = this.#exports.firstNonFinite(source, weights);
    if (bad >= 0) throw notFinite(from, bad, columns);
    return this.#encode(job);
  }

  firstNonFinite(type: TensorType, bytes: Uint8Array): number {
    const source = this.#decode(type, bytes, 0);
    return this.#exports.firstNonFinite(source, weightsIn(type, bytes.length));
  }

  /** Decodes into wasm memory with `room` bytes free behind; returns where the values start. */
  #decode(type: TensorType, bytes: Uint8Array, room: number): number {
    const weights = weightsIn(type, bytes.length);
    const start = this.#reserve(bytes.length + weights * 4 + room + 2 * overread);
    if (decodedByScalar.has(type)) {
      scalarDecoders[type](bytes, this.#memory(Float32Array, start, weights));
      return start;
    }
    if (type === 'F32') {
      this.#memory(Uint8Array, start, bytes.length).set(bytes);
      return start;
    }
    const packed = align(start + weights * 4 + room + overread);
    this.#memory(Uint8Array, packed, bytes.length).set(bytes);
    this.#export<DecodeExport>(`decode_${type}`)(packed, bytes.length / unitOf(type).bytes, start);
    return start;
  }

  #encode({ type, columns, weights, source, out, importance }: EncodeJob): EncodeError {
    const importanceAt = align(source + weights * 4);
    const outAt = align(importanceAt + columns * 4);
    const statsAt = align(outAt + out.length);
    if (importance) this.#memory(Float32Array, importanceAt, columns).set(importance);
    const stats = this.#memory(Float64Array, statsAt, 2).fill(0);
    const encode = this.#export<EncodeExport>(`encode_${type}`);
    encode(source, weights / columns, columns, importance ? importanceAt : 0, outAt, statsAt);
    out.set(this.#memory(Uint8Array, outAt, out.length));
    return { squaredError: stats[0]!, squaredNorm: stats[1]! };
  }

  /** Grows memory so that `bytes` fit above the static data; returns where they start. */
  #reserve(bytes: number): number {
    const start = this.#exports.heapBase();
    const missing = start + bytes - this.#exports.memory.buffer.byteLength;
    if (missing > 0) this.#grow(bytes, Math.ceil(missing / 65536));
    return start;
  }

  #grow(bytes: number, pages: number): void {
    try {
      this.#exports.memory.grow(pages);
    } catch (cause) {
      throw new PithError(
        'unsupported',
        `A slab that needs ${bytes} bytes of wasm memory is too large.`,
        'Pass fewer rows at a time.',
        { cause },
      );
    }
  }

  #memory<T>(
    view: new (buffer: ArrayBuffer, offset: number, length: number) => T,
    offset: number,
    length: number,
  ): T {
    return new view(this.#exports.memory.buffer, offset, length);
  }

  #export<F>(name: string): F {
    const found = this.#exports[name];
    if (typeof found !== 'function')
      throw new PithError('unsupported', `The wasm kernels have no ${name}.`);
    return found as F;
  }
}

/** Bytes that importance, output and sums take behind the values. */
function encodeRoom(columns: number, out: Uint8Array): number {
  return columns * 4 + out.length + statsBytes + 4 * 16 + overread;
}

function checkJob({ type, columns, weights, out, importance }: EncodeJob): void {
  checkEncode({ type, columns, weights, outBytes: out.length, importance: importance?.length });
}
