"""Reads what write_format_samples.mjs wrote with the reference readers and compares every value.

Needs: pip install gguf==0.19.0 safetensors==0.8.0 numpy==2.4.6
Run:   python interop/check_format_samples.py OUT
"""

import json
import sys
from pathlib import Path

import gguf
import safetensors

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "test" / "golden" / "formats"
out = Path(sys.argv[1])


def expected(name):
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def check_keys(reader, keys):
    for key, value in keys:
        got = reader.get_field(key)
        assert got is not None, key
        assert got.types[0].name.lower() == value["type"], key
        if value.get("items") == "array":
            continue  # gguf-py 0.19.0 writes nested arrays, its `contents` does not rebuild them
        wanted = value["value"]
        if value.get("items", value["type"]) in ("uint64", "int64"):
            wanted = [int(x) for x in wanted] if value["type"] == "array" else int(wanted)
        assert got.contents() == wanted, (key, got.contents(), wanted)


def check_tensors(tensors, wanted):
    assert [t.name for t in tensors] == [name for name, _ in wanted]
    for tensor, (name, info) in zip(tensors, wanted):
        assert tensor.tensor_type.name == info["type"], name
        assert [int(n) for n in reversed(tensor.shape)] == info["shape"], name
        assert tensor.data.tobytes().hex() == info["hex"], name


for name in ("every-type", "alignment-64"):
    golden = expected(name)
    path = out / f"{name}.gguf"
    reader = gguf.GGUFReader(path)
    check_keys(reader, golden["metadata"])
    check_tensors(reader.tensors, golden["tensors"])
    assert path.read_bytes() == (GOLDEN / f"{name}.gguf").read_bytes()
    parts = [gguf.GGUFReader(part) for part in sorted(out.glob(f"split-{name}-*.gguf"))]
    assert len(parts) > 1
    for i, part in enumerate(parts):
        assert part.get_field("split.no").contents() == i
        assert part.get_field("split.count").contents() == len(parts)
        assert part.get_field("split.tensors.count").contents() == len(golden["tensors"])
    check_keys(parts[0], golden["metadata"])
    check_tensors([t for part in parts for t in part.tensors], golden["tensors"])
    print(f"{name}: {len(golden['metadata'])} keys, {len(golden['tensors'])} tensors, {len(parts)} parts")

raw = gguf.GGUFReader(out / "raw-bytes.gguf").get_field("tokens")
assert bytes(raw.parts[raw.data[1]]) == b"\xff\x80"
print("raw-bytes: a token of two bytes that are not UTF-8")

golden = expected("every-dtype")
found = dict(safetensors.deserialize((out / "every-dtype.safetensors").read_bytes()))
assert found.keys() == dict(golden["tensors"]).keys()
for name, info in golden["tensors"]:
    assert found[name]["dtype"] == info["type"] and found[name]["shape"] == info["shape"], name
    assert bytes(found[name]["data"]).hex() == info["hex"], name
with safetensors.safe_open(out / "every-dtype.safetensors", "numpy") as file:
    assert file.metadata() == golden["metadata"]
model = dict(safetensors.deserialize((out / "model.safetensors").read_bytes()))
source = dict(safetensors.deserialize((ROOT / "models/sample/model.safetensors").read_bytes()))
assert model == source
print(f"safetensors: {len(found)} tensors of every dtype, {len(model)} of the sample model")
