"""
Codes packed into 32-bit words by compressed-tensors, written to test/golden/pack-groups.json. Needs
compressed-tensors 0.12.2 and torch 2.15.0:

    python interop/pack-groups.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import torch
from compressed_tensors.compressors.quantized_compressors.pack_quantized import pack_to_int32

ROOT = Path(__file__).parent.parent
ROWS, COLUMNS, GROUPS = 6, 20, 3


def case(bits, seed):
    generator = torch.Generator().manual_seed(seed)
    half = 2 ** (bits - 1)

    def signed(*shape):
        return torch.randint(-half, half, shape, generator=generator, dtype=torch.int8)

    codes, zeros = signed(ROWS, COLUMNS), signed(ROWS, GROUPS)
    return {
        "bits": bits,
        "codes": (codes.int() + half).flatten().tolist(),
        "zeroPoints": (zeros.int() + half).flatten().tolist(),
        "packed": pack_to_int32(codes, bits).flatten().tolist(),
        "packedZeroPoints": pack_to_int32(zeros, bits, packed_dim=0).flatten().tolist(),
    }


golden = {
    "source": f"compressed-tensors {version('compressed-tensors')}",
    "rows": ROWS,
    "columns": COLUMNS,
    "groups": GROUPS,
    "cases": [case(2, 1), case(4, 2), case(8, 3)],
}
(ROOT / "test/golden/pack-groups.json").write_text(json.dumps(golden) + "\n")
