"""Writes test/golden/ggml-encode.json: what ggml's encoders make of three weight matrices.

    PYTHONPATH=llama.cpp/gguf-py python interop/ggml-encode.py llama.cpp/build/bin/libggml-base.so

Made with libggml-base of llama.cpp v0.5.0 and numpy 2.4.6 (seed 21). Inputs are stored as bfloat16.
Errors are relative: sqrt(sum w (x - x')^2 / sum w x^2), w = 1 without imatrix; with it, `byImportance`
has w = v and `byGgml` has w = v sqrt(mean square of the row + x^2), ggml's own objective.
Types that need an imatrix get one of ones instead of none.
"""

import base64
import ctypes
import json
import sys

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

TYPES = ("Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS IQ3_S IQ3_XXS IQ2_S IQ2_XS IQ2_XXS TQ1_0 TQ2_0 MXFP4 Q2_0 Q1_0").split()
NEEDS_IMATRIX = ("IQ2_XS", "IQ2_XXS")
ROWS, COLUMNS = 8, 1024

rng = np.random.default_rng(21)


def bf16(values: np.ndarray) -> np.ndarray:
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def text(values: np.ndarray) -> str:
    return base64.b64encode((values.view(np.uint32) >> 16).astype(np.uint16).tobytes()).decode()


def relative(x: np.ndarray, decoded: np.ndarray, w: np.ndarray) -> float:
    x = x.astype(np.float64)
    return float(np.sqrt(np.sum(w * (x - decoded) ** 2) / np.sum(w * x * x)))


def make_ggml(library: str):
    lib = ctypes.CDLL(library)
    lib.ggml_quantize_chunk.restype = ctypes.c_size_t
    lib.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
                                        *[ctypes.c_int64] * 3, ctypes.c_void_p]

    def round_trip(name: str, x: np.ndarray, importance: np.ndarray | None) -> tuple[bytes, np.ndarray]:
        kind = GGMLQuantizationType[name]
        weights, size = GGML_QUANT_SIZES[kind]
        out = np.zeros(x.size // weights * size, np.uint8)
        lib.ggml_quantize_chunk(int(kind), x.ctypes.data, out.ctypes.data, 0, *x.shape,
                                None if importance is None else importance.ctypes.data)
        decoded = np.empty(x.shape, np.float32)
        read = getattr(lib, f"dequantize_row_{name if name[-2:] == '_K' else name.lower()}".replace("Q", "q"))
        read.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
        read(out.ctypes.data, decoded.ctypes.data, x.size)
        return out.tobytes(), decoded

    return round_trip


def main(library: str) -> None:
    ggml = make_ggml(library)
    shape = (ROWS, COLUMNS)
    inputs = {"gaussian": bf16(rng.normal(0, 0.02, shape)),
              "heavy tails": bf16(rng.standard_t(4, shape) * 0.02),
              "columns of different size": bf16(rng.normal(0, 0.02, shape) * np.exp(rng.normal(0, 0.7, COLUMNS)))}
    importance = bf16(np.exp(rng.normal(0, 1.5, COLUMNS)))
    errors = {}
    for label, x in inputs.items():
        objective = importance * np.sqrt(np.mean(x * x, axis=1, keepdims=True) + x * x)
        errors[label] = {}
        for name in TYPES:
            flat = np.ones(COLUMNS, np.float32) if name in NEEDS_IMATRIX else None
            plain = ggml(name, x, flat)[1]
            weighted = ggml(name, x, importance)[1]
            errors[label][name] = {"plain": relative(x, plain, np.ones(shape)),
                                   "byImportance": relative(x, weighted, importance),
                                   "byGgml": relative(x, weighted, objective)}
    first = inputs["gaussian"][:1]
    blocks = {name: base64.b64encode(ggml(name, first, None)[0]).decode() for name in ("Q8_0", "MXFP4")}
    golden = {"source": "interop/ggml-encode.py", "versions": "llama.cpp v0.5.0, numpy 2.4.6", "seed": 21,
              "rows": ROWS, "columns": COLUMNS, "importance": text(importance),
              "inputs": {label: text(x) for label, x in inputs.items()}, "errors": errors,
              "firstGaussianRow": blocks}
    with open("test/golden/ggml-encode.json", "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


main(sys.argv[1])
