import type { EncodableType, EncodeError, Kernels, TranscodeJob } from './kernels.ts';
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
  readonly [name: string]: unknown;
}

const statsBytes = 16;
const align = (address: number) => (address + 15) & ~15;

let compiled: Promise<WebAssembly.Module> | undefined;

function compile(): Promise<WebAssembly.Module> {
  const bytes = Uint8Array.from(atob(wasmBase64), (letter) => letter.charCodeAt(0));
  return (compiled ??= WebAssembly.compile(bytes));
}

/**
 * Instantiates the SIMD kernels with a linear memory of their own; one instance serves one thread.
 *
 * Exports are found by name: `encode_<type>(values, rows, columns, importance or 0, out, stats)` and
 * `decode_<type>(bytes, units, values)`; `stats` points to two f64: Σ (x − x̂)² and Σ x².
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

class WasmKernels implements Kernels {
  readonly name = 'wasm';
  readonly #exports: Exports;

  constructor(exports: Exports) {
    this.#exports = exports;
  }

  decode(type: TensorType, bytes: Uint8Array, values: Float32Array): void {
    const source = this.#reserve(bytes.length + values.byteLength + 32);
    const target = align(source + bytes.length);
    this.#memory(Uint8Array, source, bytes.length).set(bytes);
    this.#decodeAt(type, source, bytes.length, target);
    values.set(this.#memory(Float32Array, target, values.length));
  }

  encode(
    type: EncodableType,
    values: Float32Array,
    columns: number,
    out: Uint8Array,
    importance?: Float32Array,
  ): EncodeError {
    const source = this.#reserve(values.byteLength + columns * 4 + out.length + 96);
    this.#memory(Float32Array, source, values.length).set(values);
    const end = source + values.byteLength;
    return this.#encodeAt({ type, source, weights: values.length, columns, end, out }, importance);
  }

  transcode(job: TranscodeJob): EncodeError {
    const unit = unitOf(job.from);
    const weights = (job.bytes.length / unit.bytes) * unit.weights;
    const needed = job.bytes.length + weights * 4 + job.columns * 4 + job.out.length + 128;
    const bytes = this.#reserve(needed);
    const source = align(bytes + job.bytes.length);
    this.#memory(Uint8Array, bytes, job.bytes.length).set(job.bytes);
    this.#decodeAt(job.from, bytes, job.bytes.length, source);
    const { to: type, columns, out } = job;
    const end = source + weights * 4;
    return this.#encodeAt({ type, source, weights, columns, end, out }, job.importance);
  }

  firstNonFinite(type: TensorType, bytes: Uint8Array): number {
    const unit = unitOf(type);
    const weights = (bytes.length / unit.bytes) * unit.weights;
    const source = this.#reserve(bytes.length + weights * 4 + 32);
    const target = align(source + bytes.length);
    this.#memory(Uint8Array, source, bytes.length).set(bytes);
    this.#decodeAt(type, source, bytes.length, target);
    return this.#memory(Float32Array, target, weights).findIndex((x) => !Number.isFinite(x));
  }

  #decodeAt(type: TensorType, source: number, length: number, target: number): void {
    const decode = this.#export<DecodeExport>(`decode_${type}`);
    decode(source, length / unitOf(type).bytes, target);
  }

  #encodeAt(
    job: {
      type: EncodableType;
      source: number;
      weights: number;
      columns: number;
      end: number;
      out: Uint8Array;
    },
    importance: Float32Array | undefined,
  ): EncodeError {
    const weightsAt = align(job.end);
    const outAt = align(weightsAt + (importance?.byteLength ?? 0));
    const statsAt = align(outAt + job.out.length);
    if (importance) this.#memory(Float32Array, weightsAt, importance.length).set(importance);
    const stats = this.#memory(Float64Array, statsAt, 2).fill(0);
    const encode = this.#export<EncodeExport>(`encode_${job.type}`);
    const rows = job.weights / job.columns;
    encode(job.source, rows, job.columns, importance ? weightsAt : 0, outAt, statsAt);
    job.out.set(this.#memory(Uint8Array, outAt, job.out.length));
    return { squaredError: stats[0]!, squaredNorm: stats[1]! };
  }

  /** Grows memory so that `bytes` fit above the static data; returns where they start. */
  #reserve(bytes: number): number {
    const start = this.#exports.heapBase();
    const missing = start + bytes + statsBytes - this.#exports.memory.buffer.byteLength;
    if (missing > 0) this.#exports.memory.grow(Math.ceil(missing / 65536));
    return start;
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
