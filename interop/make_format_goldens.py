"""Writes test/golden/formats with the reference writers of both formats.

Needs: pip install gguf==0.19.0 safetensors==0.8.0 numpy==2.4.6
Run:   python interop/make_format_goldens.py
"""

import json
from pathlib import Path

import gguf
import numpy as np
import safetensors

GOLDEN = Path(__file__).resolve().parent.parent / "test" / "golden" / "formats"
VERSIONS = "gguf 0.19.0, safetensors 0.8.0, numpy 2.4.6"
TYPE_NAMES = {value: value.name.lower() for value in gguf.GGUFValueType}


def plain(value, kind, items=None):
    """The metadata value in the shape of Pith's MetadataValue, 64-bit integers as texts."""
    name = TYPE_NAMES[kind]
    if name == "array":
        sub = gguf.GGUFValueType.get_type(value[0]) if items is None else items
        return {"type": name, "items": TYPE_NAMES[sub], "value": [element(x, sub) for x in value]}
    return {"type": name, "value": element(value, kind)}


def element(value, kind):
    if kind in (gguf.GGUFValueType.UINT64, gguf.GGUFValueType.INT64):
        return str(value)
    if kind == gguf.GGUFValueType.FLOAT32:
        return float(np.float32(value))
    if kind == gguf.GGUFValueType.ARRAY:
        return plain(value, kind)
    return value


def keys():
    """Every value type at its limits, every array type, arrays of arrays."""
    t = gguf.GGUFValueType
    yield "test.uint8", 255, t.UINT8, None
    yield "test.int8", -128, t.INT8, None
    yield "test.uint16", 65535, t.UINT16, None
    yield "test.int16", -32768, t.INT16, None
    yield "test.uint32", 2**32 - 1, t.UINT32, None
    yield "test.int32", -(2**31), t.INT32, None
    yield "test.float32", 0.1, t.FLOAT32, None
    yield "test.bool", True, t.BOOL, None
    yield "test.string", "naïve 日本語 🙂", t.STRING, None
    yield "test.uint64", 2**64 - 1, t.UINT64, None
    yield "test.int64", -(2**63), t.INT64, None
    yield "test.float64", 0.1, t.FLOAT64, None
    for kind, value in [
        (t.UINT8, [0, 255]),
        (t.INT8, [-128, 127]),
        (t.UINT16, [0, 65535]),
        (t.INT16, [-32768, 32767]),
        (t.UINT32, [0, 2**32 - 1]),
        (t.INT32, [-(2**31), 2**31 - 1]),
        (t.FLOAT32, [0.1, -1e30]),
        (t.BOOL, [True, False, True]),
        (t.STRING, ["a", "", "<|end|>", "Ġthe", "🙂"]),
        (t.UINT64, [0, 2**64 - 1]),
        (t.INT64, [-(2**63), 2**63 - 1]),
        (t.FLOAT64, [0.1, -1e300]),
    ]:
        yield f"test.array.{TYPE_NAMES[kind]}", value, t.ARRAY, kind
    yield "test.array.nested", [[1, 2], [3], [4, 5, 6]], t.ARRAY, None
    yield "test.array.nested_strings", [[["a"], ["b", "c"]], [["d"]]], t.ARRAY, None


def tensors(random):
    yield "one.dimension", random.normal(size=7).astype(np.float32), None
    yield "two.dimensions", random.normal(size=(3, 5)).astype(np.float16), None
    yield "three.dimensions", random.integers(-9, 9, (2, 3, 4)).astype(np.int32), None
    yield "four.dimensions", random.normal(size=(2, 1, 3, 2)).astype(np.float64), None
    weights = random.normal(size=(2, 64)).astype(np.float32)
    for kind in ("Q8_0", "Q4_0", "BF16"):
        number = gguf.GGMLQuantizationType[kind]
        yield f"quantized.{kind}", gguf.quants.quantize(weights, number), number
    yield "integers.i8", np.arange(-3, 4, dtype=np.int8), None


def write_gguf(name, alignment):
    writer = gguf.GGUFWriter(GOLDEN / f"{name}.gguf", "llama")
    expected = {"general.architecture": {"type": "string", "value": "llama"}}
    if alignment != 32:
        writer.add_custom_alignment(alignment)
        expected["general.alignment"] = {"type": "uint32", "value": alignment}
    for key, value, kind, items in keys():
        writer.add_key_value(key, value, kind, items)
        expected[key] = plain(value, kind, items)
    shapes = {}
    for tensor_name, data, kind in tensors(np.random.default_rng(7)):
        writer.add_tensor(tensor_name, data, raw_dtype=kind)
        info = writer.tensors[-1][tensor_name]
        shapes[tensor_name] = {
            "shape": [int(size) for size in info.shape],
            "type": info.dtype.name,
            "hex": data.tobytes().hex(),
        }
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save(name, {"metadata": list(expected.items()), "tensors": list(shapes.items())})


def write_safetensors():
    kinds = "BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 I16 U16 F16 BF16 I32 U32 F32 F64 I64 U64".split()
    sizes = dict(zip(kinds, [1] * 6 + [2] * 4 + [4] * 3 + [8] * 3))
    random = np.random.default_rng(11)
    tensors = {}
    for kind in kinds:
        raw = random.integers(0, 2, 6 * sizes[kind], dtype=np.uint8)
        tensors[f"of.{kind}"] = kind, [2, 3], raw
    tensors["scalar"] = "F32", [], np.array([1.5], np.float32)
    tensors["empty"] = "F16", [4, 0], np.zeros(0, np.uint8)
    tensors['quote " and 🙂'] = "U8", [3], np.arange(3, dtype=np.uint8)
    specs = {
        name: safetensors.TensorSpec(
            dtype=PYTHON_NAMES[kind], shape=shape, data_ptr=raw.ctypes.data, data_len=raw.nbytes
        )
        for name, (kind, shape, raw) in tensors.items()
    }
    metadata = {"format": "pt", "näme": "välue"}
    (GOLDEN / "every-dtype.safetensors").write_bytes(safetensors.serialize(specs, metadata))
    expected = [
        (name, {"shape": shape, "type": kind, "hex": raw.tobytes().hex()})
        for name, (kind, shape, raw) in tensors.items()
    ]
    save("every-dtype", {"metadata": metadata, "tensors": expected})


PYTHON_NAMES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E8M0": "float8_e8m0fnu",
    "I16": "int16",
    "U16": "uint16",
    "F16": "float16",
    "BF16": "bfloat16",
    "I32": "int32",
    "U32": "uint32",
    "F32": "float32",
    "F64": "float64",
    "I64": "int64",
    "U64": "uint64",
}


def save(name, content):
    text = json.dumps({"source": VERSIONS, **content}, ensure_ascii=False, indent=1)
    (GOLDEN / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    write_gguf("every-type", 32)
    write_gguf("alignment-64", 64)
    write_safetensors()
