"""Writes src/kernels/scalar/codebook-data.ts from the codebooks of gguf-py.

    PYTHONPATH=llama.cpp/gguf-py python interop/gguf-codebooks.py > src/kernels/scalar/codebook-data.ts

Made with gguf-py 0.19.0 (llama.cpp v0.5.0) and numpy 2.4.6. Each value becomes its index in
`levels`; the indices are packed little end first, 2 or 4 bits each, and the bytes written as base64.
"""

import base64

import numpy as np
from gguf import quants

HEADER = """\
// Made by interop/gguf-codebooks.py from gguf-py 0.19.0 (llama.cpp v0.5.0).
//
// The codebooks of the IQ1, IQ2 and IQ3 formats are facts of those formats, designed by the authors
// of ggml: https://github.com/ggml-org/llama.cpp, ggml/src/ggml-common.h, MIT licence (see NOTICE).

/**
 * Entries of `width` values; each value is an index into `levels`, packed in `bits` bits (little
 * end first), as base64.
 */
export const codebookData = {"""

NAMES = {"iq1": "IQ1_S", "iq2xxs": "IQ2_XXS", "iq2xs": "IQ2_XS", "iq2s": "IQ2_S",
         "iq3xxs": "IQ3_XXS", "iq3s": "IQ3_S"}


def pack(indices: np.ndarray, bits: int) -> bytes:
    groups = indices.reshape(-1, 8 // bits).astype(np.uint8)
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    return np.bitwise_or.reduce(groups << shifts, axis=-1).astype(np.uint8).tobytes()


print(HEADER)
for name, quant in NAMES.items():
    codec = getattr(quants, quant)
    codec.init_grid()
    levels = [int(level) for level in codec.grid_map]
    bits = 2 if len(levels) <= 4 else 4
    indices = np.searchsorted(levels, codec.grid.reshape(-1))
    text = base64.b64encode(pack(indices, bits)).decode()
    print(f"  {name}: {{\n    width: {codec.grid_shape[1]},\n    bits: {bits},\n    levels: {levels},\n    packed:")
    print(f"      '{text}',\n  }},")
print("} as const;")
