"""Reads the files that write-onnx-samples.mjs wrote with onnx: they must equal the golden ones.

Needs: pip install onnx==1.23.2 numpy==2.4.6
Run:   python interop/check-onnx-samples.py OUT
"""

import sys
from pathlib import Path

import onnx

GOLDEN = Path(__file__).resolve().parent.parent / "test" / "golden" / "onnx"
OUT = Path(sys.argv[1])
# What Pith leaves out, and where the bytes of a tensor stand: in raw data, a typed field or another file.
DATA = ["raw_data", "float_data", "double_data", "int32_data", "int64_data", "uint64_data"]


def normalized(path):
    """The model with every tensor's values taken out, and those values."""
    model = onnx.load(path)
    values = []
    strip(model.graph, values)
    model.graph.ClearField("doc_string")
    return model, values


def strip(graph, values):
    for tensor in graph.initializer:
        values.append(taken(tensor))
    for node in graph.node:
        # Protobuf keeps attributes as a list; their order says nothing.
        node.attribute.sort(key=lambda attribute: attribute.name)
        for attribute in node.attribute:
            if attribute.HasField("t"):
                values.append(taken(attribute.t))
            if attribute.HasField("g"):
                strip(attribute.g, values)


def taken(tensor):
    array = onnx.numpy_helper.to_array(tensor)
    for field in [*DATA, "external_data", "data_location"]:
        tensor.ClearField(field)
    return array


def main():
    for name in ["every", "external"]:
        golden, expected = normalized(GOLDEN / f"{name}.onnx")
        for path in [OUT / f"{name}.onnx", OUT / f"{name}-outside.onnx"]:
            model, values = normalized(path)
            assert model == golden, f"{path}: not the golden model"
            assert len(values) == len(expected)
            for got, wanted in zip(values, expected):
                assert got.dtype == wanted.dtype and got.shape == wanted.shape
                assert got.tobytes() == wanted.tobytes(), f"{path}: other values"
            # Its node "Everything" is of no operator set that the checker knows.
            if name == "external":
                onnx.checker.check_model(path, full_check=True)
            print(f"{path.name}: equal, {len(values)} tensors")


main()
