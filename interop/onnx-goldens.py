"""Writes test/golden/onnx with the reference writer: every element and attribute type that Pith knows.

Needs: pip install onnx==1.23.2 numpy==2.4.6
Run:   python interop/onnx-goldens.py
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

GOLDEN = Path(__file__).resolve().parent.parent / "test" / "golden" / "onnx"
VERSIONS = f"onnx {onnx.__version__}, numpy {np.__version__}"
# Five elements of each type, ends of its range among them; half floats as their bits, 4-bit ones as numbers.
VALUES = {
    "FLOAT": [0.0, -1.5, 3.4028234663852886e38, 1e-45, float("-inf")],
    "UINT8": [0, 1, 127, 128, 255],
    "INT8": [0, 1, 127, -128, -1],
    "UINT16": [0, 1, 32767, 32768, 65535],
    "INT16": [0, 1, 32767, -32768, -1],
    "INT32": [0, 1, 2**31 - 1, -(2**31), -1],
    "INT64": [0, 1, 2**63 - 1, -(2**63), -1],
    "BOOL": [0, 1, 1, 0, 1],
    "FLOAT16": [0x0000, 0x3C00, 0x7BFF, 0x8001, 0xFC00],
    "DOUBLE": [0.0, -1.5, 1.7976931348623157e308, 5e-324, float("inf")],
    "UINT32": [0, 1, 2**31, 2**32 - 1, 7],
    "UINT64": [0, 1, 2**63, 2**64 - 1, 7],
    "BFLOAT16": [0x0000, 0x3F80, 0x7F7F, 0x8001, 0xFF80],
    "UINT4": [0, 1, 7, 8, 15],
    "INT4": [0, 1, 7, -8, -1],
}
FIELDS = {
    "FLOAT": ("float_data", "<f4"),
    "DOUBLE": ("double_data", "<f8"),
    "INT64": ("int64_data", "<i8"),
    "UINT32": ("uint64_data", "<u4"),
    "UINT64": ("uint64_data", "<u8"),
    "INT32": ("int32_data", "<i4"),
    "INT16": ("int32_data", "<i2"),
    "INT8": ("int32_data", "<i1"),
    "UINT16": ("int32_data", "<u2"),
    "UINT8": ("int32_data", "<u1"),
    "BOOL": ("int32_data", "<u1"),
    "FLOAT16": ("int32_data", "<u2"),
    "BFLOAT16": ("int32_data", "<u2"),
    "UINT4": ("int32_data", "<u1"),
    "INT4": ("int32_data", "<u1"),
}


def stored(kind):
    """The numbers of a type as its typed field holds them: 4-bit elements in pairs, low half first."""
    values = VALUES[kind]
    if not kind.endswith("INT4"):
        return values
    halves = [value & 15 for value in values] + [0]
    return [low | high << 4 for low, high in zip(halves[::2], halves[1::2])]


def raw(kind):
    return np.array(stored(kind), dtype=FIELDS[kind][1]).tobytes()


def tensor(name, kind, typed):
    proto = TensorProto(name=name, data_type=TensorProto.DataType.Value(kind), dims=[5, 1])
    if typed:
        getattr(proto, FIELDS[kind][0]).extend(stored(kind))
    else:
        proto.raw_data = raw(kind)
    return proto


def branch(name, value):
    constant = helper.make_node("Constant", [], [name], value_float=value)
    return helper.make_graph([constant], name, [], [onnx.ValueInfoProto(name=name)])


def every():
    initializers = [tensor(f"{kind}.{form}", kind, form == "typed") for kind in VALUES for form in ("raw", "typed")]
    initializers.append(TensorProto(name="empty", data_type=1, dims=[0, 4]))
    initializers.append(helper.make_tensor("scalar", TensorProto.INT64, [], [-7]))
    attributes = {
        "a_float": 0.1,
        "an_int": -(2**53) + 1,
        "a_string": "häagen ☃",
        "a_tensor": tensor("inner", "INT4", True),
        "a_graph": branch("inner_value", 2.5),
        "floats": [1.5, -2.0, 1e-45],
        "ints": [0, -1, 2**40],
        "strings": ["", "b", "☃"],
    }
    chosen = branch("then", 1.0), branch("else", 2.0)
    nodes = [
        helper.make_node("Everything", ["x", "", "scalar"], ["", "z"], "custom", domain="pith.test", **attributes),
        helper.make_node("If", ["flag"], ["y"], then_branch=chosen[0], else_branch=chosen[1]),
    ]
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4, None]),
        helper.make_tensor_value_info("flag", TensorProto.BOOL, []),
        helper.make_tensor_value_info("any_rank", TensorProto.BFLOAT16, None),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])]
    graph = helper.make_graph(nodes, "every", inputs, outputs, initializers, doc_string="left out")
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("pith.test", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="golden", producer_version="1.2")
    helper.set_model_props(model, {"licence": "Apache-2.0", "note": "☃"})
    return model


def external():
    weights = np.arange(600, dtype="<f4").reshape(20, 30)
    initializers = [onnx.numpy_helper.from_array(weights, "W"), onnx.numpy_helper.from_array(weights[:5] * 2, "V")]
    nodes = [helper.make_node("Gemm", ["x", "W", "V"], ["y"], transB=0)]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "external", [value("x", 1, [5, 20])], [value("y", 1, [5, 30])], initializers
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10, producer_name="golden")


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    (GOLDEN / "every.onnx").write_bytes(every().SerializeToString())
    model = external()
    onnx.checker.check_model(model)
    (GOLDEN / "external.onnx.data").unlink(missing_ok=True)
    onnx.save(model, GOLDEN / "external.onnx", save_as_external_data=True, location="external.onnx.data")
    expected = {"versions": VERSIONS, "data": {kind: raw(kind).hex() for kind in VALUES}}
    (GOLDEN / "every.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
