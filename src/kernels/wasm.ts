import { checkDecode, checkEncode, checkTranscode, notFinite, weightsIn } from './checks.ts';
import { compileKernels } from './compile.ts';
import type { FeedbackMath } from './feedback/feedback-math.ts';
import type { EncodableType, EncodeError, Kernels, TranscodeJob } from './kernels.ts';
import { codebookLists } from './scalar/codebook-lists.ts';
import { codebookOf, type CodebookType } from './scalar/codebooks.ts';
import { scalarDecoders } from './scalar-decoders.ts';
import { transcodeStep, transcodeSteps, type StepSizes } from './steps.ts';
import type { TensorType } from '../tensor/dtypes.ts';
import { unitOf } from '../tensor/dtypes.ts';
import { PithError } from '../util/errors.ts';
import { wasmFeedback } from './wasm-feedback.ts';
import { WasmMemory, type WasmExports } from './wasm-memory.ts';

type DecodeExport = (bytes: number, units: number, values: number) => void;
type EncodeExport = (
  values: number,
  rows: number,
  columns: number,
  importance: number,
  out: number,
  stats: number,
) => void;

interface Exports extends WasmExports {
  codebookEntries(): number;
  codebookNearest(): number;
  firstNonFinite(values: number, count: number): number;
}

/**
 * Types that the wasm kernels decode with the scalar decoder, straight into wasm memory: integers,
 * which hold no weights of a model in use, and the codebook formats, which nobody converts from.
 */
const decodedByScalar: ReadonlySet<TensorType> = new Set<TensorType>([
  ...(['BOOL', 'U8', 'I8', 'U16', 'I16', 'U32', 'I32', 'U64', 'I64'] as const),
  ...(['IQ1_S', 'IQ1_M', 'IQ2_XXS', 'IQ2_XS', 'IQ2_S', 'IQ3_XXS', 'IQ3_S'] as const),
]);

const statsBytes = 16;
const align = (address: number) => Math.ceil(address / 16) * 16;

/**
 * Instantiates the SIMD kernels with a linear memory of their own; one instance serves one thread.
 *
 * Memory grows to the largest call and stays; `transcode` goes in small steps, so that it needs little
 * memory whatever the slab. Exports are
 * found by name: `encode_<type>(values, rows, columns, importance or 0, out, stats)` and
 * `decode_<type>(bytes, units, values)`; `stats` points to two f64: Σ (x − x̂)² and Σ x². Every
 * result equals the scalar kernels' bit for bit.
 *
 * @param module - As `compileKernels` gives it, from another thread; compiled here without it.
 */
export async function createWasmKernels(module?: WebAssembly.Module): Promise<Kernels> {
  const instance = await WebAssembly.instantiate(module ?? (await compileKernels()), {
    env: {
      abort() {
        throw new PithError('engine', 'The wasm kernels stopped on an internal error.');
      },
    },
  });
  return new WasmKernels(instance.exports as unknown as Exports);
}

/** Where a step's buffers lie in wasm memory, and the weights of a step. */
interface Layout {
  readonly weights: number;
  readonly columns: number;
  readonly values: number;
  readonly importance: number;
  readonly out: number;
  readonly stats: number;
  readonly packed: number;
}

const isCodebookType = (type: EncodableType): type is CodebookType => type in codebookOf;

class WasmKernels implements Kernels {
  readonly name = 'wasm';
  readonly feedback: FeedbackMath;
  readonly #exports: Exports;
  readonly #memory: WasmMemory;
  /** The type whose codebook is in wasm memory. */
  #loaded: EncodableType | undefined;

  constructor(exports: Exports) {
    this.#exports = exports;
    this.#memory = new WasmMemory(exports);
    this.feedback = wasmFeedback(this.#memory);
  }

  decode(type: TensorType, bytes: Uint8Array, values: Float32Array): void {
    checkDecode(type, bytes.length, values.length);
    if (decodedByScalar.has(type)) return scalarDecoders[type](bytes, values);
    const weights = weightsIn(type, bytes.length);
    const layout = this.#reserve({ weights, columns: 0, outBytes: 0, packedBytes: bytes.length });
    this.#decodeInto(layout, type, bytes);
    values.set(this.#memory.view(Float32Array, layout.values, weights));
  }

  encode(
    type: EncodableType,
    values: Float32Array,
    columns: number,
    out: Uint8Array,
    importance?: Float32Array,
  ): EncodeError {
    const weights = values.length;
    checkEncode({ type, weights, columns, outBytes: out.length, importance: importance?.length });
    const layout = this.#reserve({ weights, columns, outBytes: out.length, packedBytes: 0 });
    this.#memory.view(Float32Array, layout.values, weights).set(values);
    if (importance) this.#memory.view(Float32Array, layout.importance, columns).set(importance);
    return this.#encodeFrom(layout, type, out, importance !== undefined);
  }

  transcode(job: TranscodeJob): EncodeError {
    checkTranscode(job);
    const { from, to, columns, importance } = job;
    const step = transcodeStep(job);
    const layout = this.#reserve(step);
    if (importance) this.#memory.view(Float32Array, layout.importance, columns).set(importance);
    const total = { squaredError: 0, squaredNorm: 0 };
    for (const { first, weights, bytes, out } of transcodeSteps(job)) {
      this.#decodeInto(layout, from, bytes);
      const bad = this.#exports.firstNonFinite(layout.values, weights);
      if (bad >= 0) throw notFinite(from, first + bad, columns);
      const sums = this.#encodeFrom({ ...layout, weights }, to, out, importance !== undefined);
      total.squaredError += sums.squaredError;
      total.squaredNorm += sums.squaredNorm;
    }
    return total;
  }

  firstNonFinite(type: TensorType, bytes: Uint8Array): number {
    const weights = weightsIn(type, bytes.length);
    const layout = this.#reserve({ weights, columns: 0, outBytes: 0, packedBytes: bytes.length });
    this.#decodeInto(layout, type, bytes);
    return this.#exports.firstNonFinite(layout.values, weights);
  }

  #decodeInto(layout: Layout, type: TensorType, bytes: Uint8Array): void {
    if (decodedByScalar.has(type)) {
      const weights = weightsIn(type, bytes.length);
      scalarDecoders[type](bytes, this.#memory.view(Float32Array, layout.values, weights));
    } else if (type === 'F32')
      this.#memory.view(Uint8Array, layout.values, bytes.length).set(bytes);
    else {
      this.#memory.view(Uint8Array, layout.packed, bytes.length).set(bytes);
      const decode = this.#memory.function<DecodeExport>(`decode_${type}`);
      decode(layout.packed, bytes.length / unitOf(type).bytes, layout.values);
    }
  }

  #encodeFrom(
    layout: Layout,
    type: EncodableType,
    out: Uint8Array,
    weighted: boolean,
  ): EncodeError {
    const { values, weights, columns, importance, stats } = layout;
    const encode = this.#memory.function<EncodeExport>(`encode_${type}`);
    this.#memory.view(Float64Array, stats, 2).fill(0);
    if (isCodebookType(type)) this.#loadCodebook(type);
    encode(values, weights / columns, columns, weighted ? importance : 0, layout.out, stats);
    out.set(this.#memory.view(Uint8Array, layout.out, out.length));
    const [squaredError, squaredNorm] = this.#memory.view(Float64Array, stats, 2);
    return { squaredError: squaredError!, squaredNorm: squaredNorm! };
  }

  /** Puts the codebook of a type where its encoder looks for it, unless it is there already. */
  #loadCodebook(type: CodebookType): void {
    if (this.#loaded === type) return;
    const { entries, nearest } = codebookLists(type);
    this.#memory.view(Int8Array, this.#exports.codebookEntries(), entries.length).set(entries);
    this.#memory.view(Uint16Array, this.#exports.codebookNearest(), nearest.length).set(nearest);
    this.#loaded = type;
  }

  /** Lays out the buffers of a step above the static data, growing memory where needed. */
  #reserve(sizes: StepSizes): Layout {
    const { weights, columns, outBytes, packedBytes } = sizes;
    const values = this.#memory.base;
    const importance = align(values + weights * 4);
    const out = align(importance + columns * 4);
    const stats = align(out + outBytes);
    const packed = stats + statsBytes;
    this.#memory.reserve(packed + packedBytes);
    return { weights, columns, values, importance, out, stats, packed };
  }
}
