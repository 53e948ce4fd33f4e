"""Writes test/golden/ggml-asymmetric.json: the errors that ggml's Q2_K, Q4_K and Q5_K encoders leave.

    python interop/ggml-asymmetric.py llama.cpp/build/bin/libggml-base.so

Made with libggml-base of llama.cpp v0.5.0 and numpy 2.4.6, on the inputs of test/golden/ggml-encode.json.
Errors are relative: sqrt(sum w (x - x')^2 / sum w x^2); `plain` has w = 1, `weighted` the weights that
ggml fits with: with importance v, w = v sqrt(k mean(x^2) + x^2) over a super-block, k = 2 (Q2_K: 1);
without, w = rms(x) + |x| over a sub-block of 32 (Q2_K: w = |x|).
"""

import base64
import ctypes
import json
import sys

import numpy as np

# ggml's type number, bytes a super-block
TYPES = {"Q2_K": (10, 84), "Q4_K": (12, 144), "Q5_K": (13, 176)}


def floats(text: str, columns: int) -> np.ndarray:
    bits = np.frombuffer(base64.b64decode(text), np.uint16).astype(np.uint32) << 16
    return np.ascontiguousarray(bits.view(np.float32).reshape(-1, columns))


def encode(library: ctypes.CDLL, name: str, x: np.ndarray, importance: np.ndarray | None) -> np.ndarray:
    number, size = TYPES[name]
    out = np.zeros(x.size // 256 * size, np.uint8)
    decoded = np.empty(x.shape, np.float32)
    address = None if importance is None else ctypes.c_void_p(importance.ctypes.data)
    library.ggml_quantize_chunk(number, ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(out.ctypes.data),
                                *map(ctypes.c_int64, (0, *x.shape)), address)
    getattr(library, f"dequantize_row_{name.lower().replace('k', 'K')}")(
        ctypes.c_void_p(out.ctypes.data), ctypes.c_void_p(decoded.ctypes.data), ctypes.c_int64(x.size))
    return decoded


def mean_square(x: np.ndarray, length: int) -> np.ndarray:
    return np.repeat(np.mean(x.reshape(-1, length) ** 2, axis=1), length).reshape(x.shape)


def weights(name: str, x: np.ndarray, importance: np.ndarray | None) -> np.ndarray:
    if importance is not None:
        return importance * np.sqrt((1 if name == "Q2_K" else 2) * mean_square(x, 256) + x * x)
    return np.abs(x) if name == "Q2_K" else np.sqrt(mean_square(x, 32)) + np.abs(x)


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
                decoded = encode(library, name, x, v)
                wide = x.astype(np.float64)
                errors.setdefault(label, {}).setdefault(name, {})[mode] = {
                    "plain": relative(wide, decoded, 1.0),
                    "weighted": relative(wide, decoded, weights(name, wide, v))}
    golden = {"source": "interop/ggml-asymmetric.py", "versions": "llama.cpp v0.5.0, numpy 2.4.6",
              "inputs": "ggml-encode.json", "errors": errors}
    with open("test/golden/ggml-asymmetric.json", "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


main(sys.argv[1])
