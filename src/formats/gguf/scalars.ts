import type { BigintType, ListOf, NumberType } from './metadata.ts';

interface NumberCodec {
  readonly bytes: number;
  /** Smallest and largest integer that fits; undefined for floats, which take any number. */
  readonly range?: readonly [number, number];
  readonly read: (view: DataView, at: number) => number;
  readonly write: (view: DataView, at: number, value: number) => void;
  /** A typed array over a copy of little-endian `bytes`. */
  readonly list: (bytes: Uint8Array) => ListOf<number>;
}

interface BigintCodec {
  readonly bytes: 8;
  readonly fits: (value: bigint) => boolean;
  readonly read: (view: DataView, at: number) => bigint;
  readonly write: (view: DataView, at: number, value: bigint) => void;
  readonly list: (bytes: Uint8Array) => ListOf<bigint>;
}

/** How each number type of GGUF metadata is stored, little-endian. */
export const numberCodecs: Record<NumberType, NumberCodec> = {
  uint8: {
    bytes: 1,
    range: [0, 255],
    read: (view, at) => view.getUint8(at),
    write: (view, at, value) => view.setUint8(at, value),
    list: (bytes) => bytes.slice(),
  },
  int8: {
    bytes: 1,
    range: [-128, 127],
    read: (view, at) => view.getInt8(at),
    write: (view, at, value) => view.setInt8(at, value),
    list: (bytes) => new Int8Array(copy(bytes)),
  },
  uint16: {
    bytes: 2,
    range: [0, 65535],
    read: (view, at) => view.getUint16(at, true),
    write: (view, at, value) => view.setUint16(at, value, true),
    list: (bytes) => new Uint16Array(copy(bytes)),
  },
  int16: {
    bytes: 2,
    range: [-32768, 32767],
    read: (view, at) => view.getInt16(at, true),
    write: (view, at, value) => view.setInt16(at, value, true),
    list: (bytes) => new Int16Array(copy(bytes)),
  },
  uint32: {
    bytes: 4,
    range: [0, 2 ** 32 - 1],
    read: (view, at) => view.getUint32(at, true),
    write: (view, at, value) => view.setUint32(at, value, true),
    list: (bytes) => new Uint32Array(copy(bytes)),
  },
  int32: {
    bytes: 4,
    range: [-(2 ** 31), 2 ** 31 - 1],
    read: (view, at) => view.getInt32(at, true),
    write: (view, at, value) => view.setInt32(at, value, true),
    list: (bytes) => new Int32Array(copy(bytes)),
  },
  float32: {
    bytes: 4,
    read: (view, at) => view.getFloat32(at, true),
    write: (view, at, value) => view.setFloat32(at, value, true),
    list: (bytes) => new Float32Array(copy(bytes)),
  },
  float64: {
    bytes: 8,
    read: (view, at) => view.getFloat64(at, true),
    write: (view, at, value) => view.setFloat64(at, value, true),
    list: (bytes) => new Float64Array(copy(bytes)),
  },
};

/** How the 64-bit integer types of GGUF metadata are stored, little-endian. */
export const bigintCodecs: Record<BigintType, BigintCodec> = {
  uint64: {
    bytes: 8,
    fits: (value) => BigInt.asUintN(64, value) === value,
    read: (view, at) => view.getBigUint64(at, true),
    write: (view, at, value) => view.setBigUint64(at, value, true),
    list: (bytes) => new BigUint64Array(copy(bytes)),
  },
  int64: {
    bytes: 8,
    fits: (value) => BigInt.asIntN(64, value) === value,
    read: (view, at) => view.getBigInt64(at, true),
    write: (view, at, value) => view.setBigInt64(at, value, true),
    list: (bytes) => new BigInt64Array(copy(bytes)),
  },
};

/** Copied, because a typed array must start at a multiple of its element size. */
function copy(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
