"""Writes test/golden/gguf-blocks.json: blocks of every GGUF type and what two readers make of them.

    PYTHONPATH=llama.cpp/gguf-py python interop/gguf-blocks.py llama.cpp/build/bin/libggml-base.so

Made with gguf-py 0.19.0 and libggml-base of llama.cpp v0.5.0, ml_dtypes 0.6.0, numpy 2.4.6. Each
quantized type has a block with an ordinary scale, one with the largest binary16 scale and one with
a subnormal scale; all other bytes are random (seed 20). ggml's `to_float` gives the values where it
exists, and gguf-py must agree within one rounding of binary32; the F8 types come from ml_dtypes.
"""

import base64
import ctypes
import json
import sys

import ml_dtypes
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

# Byte offsets of the binary16 fields of a block; random bytes there could be NaN.
HALVES = {"Q1_0": [0], "Q2_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2],
          "Q8_0": [0], "Q8_1": [0, 2], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2],
          "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0], "TQ1_0": [52], "TQ2_0": [64],
          "IQ2_XXS": [0], "IQ2_XS": [0], "IQ2_S": [0], "IQ3_XXS": [0], "IQ3_S": [0], "IQ1_S": [0]}
SCALES = [0.0123, -65504.0, 3e-7]
FLOATS = {"F8_E4M3": ml_dtypes.float8_e4m3fn, "F8_E5M2": ml_dtypes.float8_e5m2,
          "F8_E8M0": ml_dtypes.float8_e8m0fnu}
INTEGERS = {"BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "U16": np.uint16, "I16": np.int16,
            "U32": np.uint32, "I32": np.int32, "U64": np.uint64, "I64": np.int64}

rng = np.random.default_rng(20)


class Traits(ctypes.Structure):
    _fields_ = [("type_name", ctypes.c_char_p), ("blck_size", ctypes.c_int64),
                ("blck_size_interleave", ctypes.c_int64), ("type_size", ctypes.c_size_t),
                ("is_quantized", ctypes.c_bool), ("to_float", ctypes.c_void_p),
                ("from_float_ref", ctypes.c_void_p)]


def ggml_reader(library: str):
    lib = ctypes.CDLL(library)
    lib.ggml_get_type_traits.restype = ctypes.POINTER(Traits)
    signature = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)

    def read(kind: GGMLQuantizationType, data: np.ndarray) -> np.ndarray | None:
        traits = lib.ggml_get_type_traits(int(kind)).contents
        address = traits.to_float
        if kind.name == "Q8_K":
            address = ctypes.cast(lib.dequantize_row_q8_K, ctypes.c_void_p).value
        if not address:
            return None
        count = len(data) // traits.type_size * traits.blck_size
        out = np.empty(count, np.float32)
        signature(address)(data.ctypes.data, out.ctypes.data, count)
        return out

    return read


def put(block: np.ndarray, at: int, value: np.ndarray) -> None:
    block[at:at + value.nbytes] = np.frombuffer(value.tobytes(), np.uint8)


def random_blocks(name: str, size: int) -> np.ndarray:
    blocks = rng.integers(0, 256, (len(SCALES), size), dtype=np.uint8)
    for block, scale in zip(blocks, SCALES):
        for at in HALVES.get(name, []):
            put(block, at, np.float16([scale * rng.uniform(0.5, 1.0) if abs(scale) < 1 else scale]))
        if name == "Q8_K":
            put(block, 0, np.float32([scale]))
        if name == "MXFP4":
            block[0] = {0.0123: 121, -65504.0: 250, 3e-7: 1}[scale]
        if name == "NVFP4":
            block[:4] = {0.0123: [56, 57, 40, 127], -65504.0: [126, 125, 120, 0], 3e-7: [1, 2, 7, 8]}[scale]
        if name == "IQ1_M":
            half = int(np.float16([scale]).view(np.uint16)[0])
            for i in range(4):
                block[49 + 2 * i] = (block[49 + 2 * i] & 15) | ((half >> (4 * i) & 15) << 4)
    return blocks.reshape(-1)


def block_vector(kind: GGMLQuantizationType, read) -> dict:
    weights, size = GGML_QUANT_SIZES[kind]
    data = random_blocks(kind.name, size)
    values, sources = read(kind, data), []
    if values is not None:
        sources.append("libggml")
    if kind in quants._type_traits:
        other = quants.dequantize(data, kind).astype(np.float32)
        sources.append("gguf-py")
        values = other if values is None else values
        np.testing.assert_allclose(other, values, rtol=3e-7, atol=0, err_msg=kind.name)
    if kind.name == "Q8_1":
        blocks = data.reshape(-1, size)
        d = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        values, sources = (d * blocks[:, 4:].view(np.int8)).reshape(-1), ["definition"]
    return vector(data, values, sources)


def vector(data: np.ndarray, values: np.ndarray, sources: list[str]) -> dict:
    encode = lambda array: base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"sources": sources, "bytes": encode(data), "values": encode(values.astype(np.float32))}


def number_vector(name: str) -> dict:
    if name in FLOATS:
        data = np.arange(256, dtype=np.uint8)
        return vector(data, data.view(FLOATS[name]).astype(np.float32), ["ml_dtypes"])
    kind = np.dtype(INTEGERS[name])
    data = rng.integers(0, 256, 12 * kind.itemsize, dtype=np.uint8)
    data[:3 * kind.itemsize] = np.repeat(np.uint8([0, 255, 127]), kind.itemsize)
    values = (data != 0) if name == "BOOL" else data.view(kind)
    return vector(data, values.astype(np.float32), ["numpy"])


def float_vector(name: str) -> dict:
    values = np.concatenate([rng.normal(0, 1, 24), [0, -0.0, 6e-5, 1e-7, 65504, -3e38, 1e-42, 1]])
    with np.errstate(over="ignore"):
        kind = {"F32": np.float32, "F16": np.float16, "F64": np.float64, "BF16": ml_dtypes.bfloat16}[name]
        data = values.astype(kind)
        return vector(data, data.astype(np.float32), ["ml_dtypes" if name == "BF16" else "numpy"])


def main(library: str) -> None:
    read = ggml_reader(library)
    vectors = {}
    for name in ("F32", "F16", "BF16", "F64"):
        vectors[name] = float_vector(name)
    for name in [*FLOATS, *INTEGERS]:
        vectors[name] = number_vector(name)
    for kind, (weights, _) in GGML_QUANT_SIZES.items():
        if weights > 1:
            vectors[kind.name] = block_vector(kind, read)
    golden = {"source": "interop/gguf-blocks.py", "versions": "gguf-py 0.19.0, llama.cpp v0.5.0, "
              "ml_dtypes 0.6.0, numpy 2.4.6", "seed": 20, "vectors": vectors}
    with open("test/golden/gguf-blocks.json", "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


main(sys.argv[1])
