"""Writes test/golden/ggml-symmetric.json: the errors that ggml's Q3_K, Q6_K and IQ4 encoders leave.

    python interop/ggml-symmetric.py llama.cpp/build/bin/libggml-base.so

Made with libggml-base of llama.cpp v0.5.0 and numpy 2.4.6, on the inputs of test/golden/ggml-encode.json.
Errors are relative: sqrt(sum w (x - x')^2 / sum w x^2); `plain` has w = 1, `weighted` the weights that
ggml fits with: without importance w = x^2; with importance v, w = v sqrt(2 mean(x^2) + x^2) over a block
(Q6_K: w = v).
"""

import base64
import ctypes
import json
import sys

import numpy as np

# ggml's type number, weights and bytes a block
TYPES = {"Q3_K": (11, 256, 110), "Q6_K": (14, 256, 210), "IQ4_NL": (20, 32, 18), "IQ4_XS": (23, 256, 136)}


def floats(text: str, columns: int) -> np.ndarray:
    bits = np.frombuffer(base64.b64decode(text), np.uint16).astype(np.uint32) << 16
    return np.ascontiguousarray(bits.view(np.float32).reshape(-1, columns))


def round_trip(library: ctypes.CDLL, name: str, x: np.ndarray, importance: np.ndarray | None) -> np.ndarray:
    number, weights, size = TYPES[name]
    out = np.zeros(x.size // weights * size, np.uint8)
    decoded = np.empty(x.shape, np.float32)
    address = None if importance is None else ctypes.c_void_p(importance.ctypes.data)
    library.ggml_quantize_chunk(number, ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(out.ctypes.data),
                                *map(ctypes.c_int64, (0, *x.shape)), address)
    lower = name.lower().replace("_k", "_K")
    getattr(library, f"dequantize_row_{lower}")(
        ctypes.c_void_p(out.ctypes.data), ctypes.c_void_p(decoded.ctypes.data), ctypes.c_int64(x.size))
    return decoded


def weights_of(name: str, x: np.ndarray, importance: np.ndarray | None) -> np.ndarray:
    if importance is None:
        return x * x
    if name == "Q6_K":
        return np.broadcast_to(importance, x.shape)
    length = TYPES[name][1]
    mean = np.repeat(np.mean(x.reshape(-1, length) ** 2, axis=1), length).reshape(x.shape)
    return importance * np.sqrt(2 * mean + x * x)


def relative(x: np.ndarray, decoded: np.ndarray, w: np.ndarray | float) -> float:
    return float(np.sqrt(np.sum(w * (x - decoded) ** 2) / np.sum(w * x * x)))


def main(path: str) -> None:
    library = ctypes.CDLL(path)
    with open("test/golden/ggml-encode.json") as file:
        inputs = json.load(file)
    importance = floats(inputs["importance"], inputs["columns"])[0]
    errors: dict = {}
    for label, text in inputs["inputs"].items():
        x = floats(text, inputs["columns"])
        for name in TYPES:
            for mode, v in (("without", None), ("with", importance)):
                decoded = round_trip(library, name, x, v)
                wide = x.astype(np.float64)
                errors.setdefault(label, {}).setdefault(name, {})[mode] = {
                    "plain": relative(wide, decoded, 1.0),
                    "weighted": relative(wide, decoded, weights_of(name, wide, v))}
    golden = {"source": "interop/ggml-symmetric.py", "versions": "llama.cpp v0.5.0, numpy 2.4.6",
              "inputs": "ggml-encode.json", "errors": errors}
    with open("test/golden/ggml-symmetric.json", "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


main(sys.argv[1])
