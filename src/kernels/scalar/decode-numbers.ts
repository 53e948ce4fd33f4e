import { unitOf, type Dtype, type TensorType } from '../../tensor/dtypes.ts';
import { bf16ToF32, f16ToF32 } from '../../util/half-float.ts';
import type { Decoder } from '../kernels.ts';

/** Types whose elements are plain numbers: all of safetensors, and GGUF's F64 to I64. */
export type NumberType = Dtype;

/** Reads the number at a byte offset. */
type Getter = (view: DataView, at: number) => number;

function numberDecoder(type: TensorType, get: Getter): Decoder {
  const { bytes: size } = unitOf(type);
  return (bytes, values) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0, to = 0; at < bytes.length; at += size, to++) values[to] = get(view, at);
  };
}

/**
 * The "fn" variant of E4M3: bias 7, no infinities, 0x7f and 0xff are NaN, largest 448.
 *
 * @see Micikevicius et al. 2022, arXiv:2209.05433. Checked against ml_dtypes float8_e4m3fn.
 */
function e4m3ToF32(byte: number): number {
  if ((byte & 127) === 127) return NaN;
  const sign = byte & 128 ? -1 : 1;
  const exponent = (byte >> 3) & 15;
  const mantissa = (byte & 7) / 8;
  return exponent === 0 ? sign * mantissa * 2 ** -6 : sign * (1 + mantissa) * 2 ** (exponent - 7);
}

/** E8M0, a bare exponent with bias 127; 255 is NaN. */
function e8m0ToF32(byte: number): number {
  return byte === 255 ? NaN : 2 ** (byte - 127);
}

/**
 * Decoders of plain numbers. 64-bit integers round to f64 first, then to f32; E5M2 is the upper
 * byte of a binary16.
 */
export const numberDecoders: Record<NumberType, Decoder> = {
  BOOL: numberDecoder('BOOL', (view, at) => (view.getUint8(at) === 0 ? 0 : 1)),
  U8: numberDecoder('U8', (view, at) => view.getUint8(at)),
  I8: numberDecoder('I8', (view, at) => view.getInt8(at)),
  F8_E4M3: numberDecoder('F8_E4M3', (view, at) => e4m3ToF32(view.getUint8(at))),
  F8_E5M2: numberDecoder('F8_E5M2', (view, at) => f16ToF32(view.getUint8(at) << 8)),
  F8_E8M0: numberDecoder('F8_E8M0', (view, at) => e8m0ToF32(view.getUint8(at))),
  U16: numberDecoder('U16', (view, at) => view.getUint16(at, true)),
  I16: numberDecoder('I16', (view, at) => view.getInt16(at, true)),
  F16: numberDecoder('F16', (view, at) => f16ToF32(view.getUint16(at, true))),
  BF16: numberDecoder('BF16', (view, at) => bf16ToF32(view.getUint16(at, true))),
  U32: numberDecoder('U32', (view, at) => view.getUint32(at, true)),
  I32: numberDecoder('I32', (view, at) => view.getInt32(at, true)),
  F32: numberDecoder('F32', (view, at) => view.getFloat32(at, true)),
  U64: numberDecoder('U64', (view, at) => Number(view.getBigUint64(at, true))),
  I64: numberDecoder('I64', (view, at) => Number(view.getBigInt64(at, true))),
  F64: numberDecoder('F64', (view, at) => view.getFloat64(at, true)),
};
