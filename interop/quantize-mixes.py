"""Writes test/golden/quantize-mixes.json: the type that llama-quantize gives every tensor.

Makes small GGUF files of many layouts (all weights zero), asks `llama-quantize --dry-run` for each
file type, with and without an importance matrix, and keeps a digest of the answer.

Versions: llama.cpp v0.5.0 (llama-quantize, gguf-py of the same tree), numpy 2.4, Python 3.11.
Usage: python interop/quantize-mixes.py LLAMA_CPP_FOLDER
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

llama_cpp = Path(sys.argv[1])
sys.path.insert(0, str(llama_cpp / "gguf-py"))
import gguf  # noqa: E402
import numpy as np  # noqa: E402

MIXES = """F32 F16 BF16 Q8_0 Q6_K Q5_K_M Q5_K_S Q5_1 Q5_0 Q4_K_M Q4_K_S Q4_1 Q4_0 IQ4_NL IQ4_XS
MXFP4_MOE Q3_K_L Q3_K_M IQ3_M IQ3_S Q3_K_S IQ3_XS IQ3_XXS Q2_K Q2_K_S IQ2_M IQ2_S IQ2_XS IQ2_XXS Q2_0 TQ2_0 TQ1_0 Q1_0""".split()
PURE = ["Q4_K_M", "Q6_K", "IQ4_XS"]


def norm(width, *names):
    return {f"{name}.weight": [width] for name in names}


def llama(layers, width, heads, kv_heads, ffn, *, tied=False, arch="llama", vocab=96, head_dim=None, bias=False, experts=0):
    head_dim = head_dim or width // heads
    query, kv = heads * head_dim, kv_heads * head_dim
    layer = {
        **norm(width, "attn_norm", "ffn_norm"),
        "attn_q.weight": [query, width],
        "attn_k.weight": [kv, width],
        "attn_v.weight": [kv, width],
        "attn_output.weight": [width, query],
    }
    if bias:
        layer |= {"attn_q.bias": [query], "attn_k.bias": [kv], "attn_v.bias": [kv]}
    if experts:
        layer |= {
            "ffn_gate_inp.weight": [experts, width],
            "ffn_gate_exps.weight": [experts, ffn, width],
            "ffn_up_exps.weight": [experts, ffn, width],
            "ffn_down_exps.weight": [experts, width, ffn],
        }
    else:
        layer |= {"ffn_gate.weight": [ffn, width], "ffn_up.weight": [ffn, width], "ffn_down.weight": [width, ffn]}
    outside = {"token_embd.weight": [vocab, width], **norm(width, "output_norm")}
    if not tied:
        outside["output.weight"] = [vocab, width]
    keys = {
        "context_length": 64,
        "embedding_length": width,
        "feed_forward_length": ffn,
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "vocab_size": vocab,
    }
    if experts:
        keys |= {"expert_count": experts, "expert_used_count": 2}
    return {
        "architecture": arch,
        "keys": {"block_count": layers, **keys},
        "epsilon": "attention.layer_norm_rms_epsilon",
        "outside": outside,
        "layers": layers,
        "layer": layer,
    }


def fused(arch, layers, width, heads, kv_heads):
    """Falcon and GPT-NeoX keep query, key and value in one matrix."""
    head_dim = width // heads
    model = llama(layers, width, heads, kv_heads, 2 * width, arch=arch)
    layer = {
        **norm(width, "attn_norm"),
        "attn_norm.bias": [width],
        "attn_qkv.weight": [(heads + 2 * kv_heads) * head_dim, width],
        "attn_output.weight": [width, width],
        "ffn_up.weight": [2 * width, width],
        "ffn_down.weight": [width, 2 * width],
    }
    return {**model, "layer": layer, "epsilon": "attention.layer_norm_epsilon", "flags": {"use_parallel_residual": True}}


def bert(*, fused_qkv):
    model = fused("bert", 6, 256, 4, 4)
    if not fused_qkv:
        layer = {**norm(256, "attn_output_norm", "layer_output_norm")}
        layer |= {f"attn_{part}.weight": [256, 256] for part in ("q", "k", "v", "output")}
        layer |= {"ffn_up.weight": [512, 256], "ffn_down.weight": [256, 512]}
        model["layer"] = layer
    outside = {
        "token_embd.weight": [96, 256],
        "token_embd_norm.weight": [256],
        "position_embd.weight": [64, 256],
        "token_types.weight": [2, 256],
    }
    return {**model, "outside": outside}


def gpt2():
    model = fused("gpt2", 12, 256, 4, 4)
    outside = {"token_embd.weight": [96, 256], "position_embd.weight": [64, 256], **norm(256, "output_norm")}
    return {**model, "outside": outside}


def phi2():
    """Query, key and value apart, two feed-forward matrices, an output bias."""
    model = fused("phi2", 24, 256, 4, 4)
    layer = {name: shape for name, shape in model["layer"].items() if "qkv" not in name}
    layer |= {f"attn_{part}.weight": [256, 256] for part in "qkv"}
    layer |= {f"attn_{part}.bias": [256] for part in "qkv"}
    return {**model, "layer": layer, "outside": {**model["outside"], "output.bias": [96]}}


def phi3(kv_heads):
    """Gate and up in one matrix too."""
    model = fused("phi3", 32, 256, 4, kv_heads)
    layer = {**model["layer"], **norm(256, "ffn_norm"), "ffn_up.weight": [1024, 256]}
    return {**model, "layer": layer, "epsilon": "attention.layer_norm_rms_epsilon", "flags": {}}


def gemma(arch, layers, kv_heads):
    model = llama(layers, 256, 4, kv_heads, 768, arch=arch, tied=True, head_dim=64)
    extra = norm(256, "post_attention_norm", "post_ffw_norm") if arch != "gemma" else {}
    head_norms = norm(64, "attn_q_norm", "attn_k_norm") if arch == "gemma3" else {}
    return {**model, "layer": {**model["layer"], **extra, **head_norms}}


def stablelm():
    """The 12B layout: side by side, a norm for every head."""
    model = llama(40, 256, 4, 1, 512, arch="stablelm")
    layer = {name: shape for name, shape in model["layer"].items() if name != "ffn_norm.weight"}
    layer |= {"attn_norm.bias": [256], "attn_q_norm.weight": [4, 64], "attn_k_norm.weight": [1, 64]}
    return {**model, "layer": layer, "epsilon": "attention.layer_norm_epsilon", "flags": {"use_parallel_residual": True}}


def qwen2moe():
    model = llama(12, 256, 4, 2, 512, arch="qwen2moe", bias=True, experts=6)
    model["keys"] |= {"expert_feed_forward_length": 256, "expert_shared_feed_forward_length": 512}
    layer = model["layer"]
    layer |= {
        "ffn_gate_exps.weight": [6, 256, 256],
        "ffn_up_exps.weight": [6, 256, 256],
        "ffn_down_exps.weight": [6, 256, 256],
        "ffn_gate_inp_shexp.weight": [1, 256],
        "ffn_gate_shexp.weight": [512, 256],
        "ffn_up_shexp.weight": [512, 256],
        "ffn_down_shexp.weight": [256, 512],
    }
    return model


def deepseek():
    """Latent attention, dense first layer, routed and shared experts."""
    model = llama(9, 256, 4, 4, 512, arch="deepseek2", experts=6)
    model["keys"] |= {
        "leading_dense_block_count": 1,
        "attention.kv_lora_rank": 256,
        "attention.q_lora_rank": 256,
        "attention.key_length": 320,
        "attention.value_length": 256,
        "attention.key_length_mla": 192,
        "attention.value_length_mla": 128,
        "rope.dimension_count": 64,
        "expert_feed_forward_length": 256,
        "expert_shared_count": 1,
        "expert_gating_func": 2,
    }
    model["layer"] = {
        **norm(256, "attn_norm", "ffn_norm", "attn_q_a_norm", "attn_kv_a_norm"),
        "attn_q_a.weight": [256, 256],
        "attn_q_b.weight": [768, 256],
        "attn_kv_a_mqa.weight": [320, 256],
        "attn_k_b.weight": [4, 256, 128],
        "attn_v_b.weight": [4, 128, 256],
        "attn_kv_b.weight": [1024, 256],
        "attn_output.weight": [256, 512],
        "ffn_gate_inp.weight": [6, 256],
        "ffn_gate_exps.weight": [6, 256, 256],
        "ffn_up_exps.weight": [6, 256, 256],
        "ffn_down_exps.weight": [6, 256, 256],
        "ffn_gate_shexp.weight": [256, 256],
        "ffn_up_shexp.weight": [256, 256],
        "ffn_down_shexp.weight": [256, 256],
    }
    return model


MODELS = {
    "storyteller: tied, 2 heads a kv head": llama(8, 256, 4, 2, 768, tied=True),
    "untied, 4 heads a kv head": llama(12, 512, 8, 2, 1024),
    "qwen2 biases, 7 heads a kv head": llama(28, 448, 14, 2, 768, arch="qwen2", bias=True),
    "qwen3, 3 heads a kv head, wide heads": llama(36, 256, 6, 2, 512, arch="qwen3", head_dim=64, tied=True),
    "one layer": llama(1, 256, 4, 4, 256),
    "80 layers, 70B": llama(80, 256, 8, 1, 256),
    "80 layers, every head its own kv": llama(80, 256, 4, 4, 256),
    "80 layers of qwen2": llama(80, 256, 8, 2, 256, arch="qwen2", bias=True),
    "8 experts": llama(16, 256, 8, 2, 512, experts=8),
    "8 experts, tied, narrow": llama(4, 288, 4, 4, 256, experts=8, tied=True),
    "16 experts": llama(24, 256, 4, 2, 256, experts=16, arch="qwen3moe", head_dim=64),
    "width 576, as SmolLM2 135M": llama(30, 576, 9, 3, 1536, tied=True),
    "width 896, as Qwen2.5 0.5B": llama(24, 896, 14, 2, 1216, arch="qwen2", bias=True, tied=True),
    "width 896 untied": llama(3, 896, 14, 2, 1216),
    "width 80": llama(9, 80, 5, 5, 112),
    "falcon": fused("falcon", 32, 256, 4, 1),
    "gptneox": fused("gptneox", 24, 256, 4, 4),
    "bert": bert(fused_qkv=True),
    "bert, query, key and value apart": bert(fused_qkv=False),
    "gpt2": gpt2(),
    "phi2": phi2(),
    "phi3": phi3(4),
    "phi3, 4 heads a kv head": phi3(1),
    "gemma": gemma("gemma", 18, 1),
    "gemma2": gemma("gemma2", 26, 2),
    "gemma3": gemma("gemma3", 18, 1),
    "stablelm": stablelm(),
    "qwen2moe, a shared expert": qwen2moe(),
    "mixtral": llama(32, 256, 8, 2, 512, experts=8),
    "deepseek2": deepseek(),
}


def tensors_of(model):
    tensors = dict(model["outside"])
    for layer in range(model["layers"]):
        for name, shape in model["layer"].items():
            tensors[f"blk.{layer}.{name}"] = shape
    return tensors


def write_model(path, model):
    writer = gguf.GGUFWriter(path, model["architecture"])
    for key, value in model["keys"].items():
        writer.add_uint32(f"{model['architecture']}.{key}", value)
    for key, value in model.get("flags", {}).items():
        writer.add_bool(f"{model['architecture']}.{key}", value)
    writer.add_float32(f"{model['architecture']}.{model['epsilon']}", 1e-5)
    for name, shape in tensors_of(model).items():
        is_vector = np.prod(shape[:-1]) == 1 or name.endswith("_norm.weight")
        writer.add_tensor(name, np.zeros(shape, np.float32 if is_vector else np.float16))
    finish(writer)


def write_imatrix(path):
    writer = gguf.GGUFWriter(path, "imatrix")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["none"])
    writer.add_uint32("imatrix.chunk_count", 1)
    writer.add_uint32("imatrix.chunk_size", 512)
    writer.add_tensor("blk.0.attn_output.weight.in_sum2", np.ones([1, 256], np.float32))
    writer.add_tensor("blk.0.attn_output.weight.counts", np.ones([1, 1], np.float32))
    finish(writer)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


LINE = re.compile(r"^\[ *\d+/ *\d+\] (\S+) .*type = +(\S+), (?:.*\((\S+)\))?")


def dry_run(path, mix, *options):
    command = [llama_cpp / "build/bin/llama-quantize", "--dry-run", *options, path, mix]
    run = subprocess.run(command, capture_output=True, text=True)
    if "no tensor type fallback is defined" in run.stdout + run.stderr:
        return None
    if run.returncode != 0:
        raise RuntimeError(run.stderr[-2000:])
    found = {}
    for line in (run.stdout + run.stderr).splitlines():
        if match := LINE.match(line):
            name, stored, target = match.groups()
            found[name] = (target or stored).upper()
    return found


def summary(types, shapes):
    """None where llama-quantize refuses: Q1_0, whose blocks of 128 do not divide the rows."""
    if types is None:
        return None
    assert types.keys() == shapes.keys(), types.keys() ^ shapes.keys()
    size = 0
    for name, type_name in types.items():
        weights, size_of_block = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[type_name]]
        size += int(np.prod(shapes[name])) // weights * size_of_block
    listing = "".join(f"{name}={types[name]}\n" for name in sorted(types))
    return [size, hashlib.sha256(listing.encode()).hexdigest()[:12]]


def main():
    golden = {"source": "llama-quantize --dry-run, llama.cpp v0.5.0; interop/quantize-mixes.py", "models": []}
    with tempfile.TemporaryDirectory() as folder:
        imatrix = Path(folder) / "imatrix.gguf"
        write_imatrix(imatrix)
        for label, model in MODELS.items():
            path = Path(folder) / "model.gguf"
            write_model(path, model)
            shapes = tensors_of(model)
            cases = {}
            for mix in MIXES:
                cases[mix] = summary(dry_run(path, mix), shapes)
                cases[f"{mix} imatrix"] = summary(dry_run(path, mix, "--imatrix", imatrix), shapes)
            for mix in PURE:
                cases[f"{mix} pure"] = summary(dry_run(path, mix, "--pure"), shapes)
            entry = {key: model[key] for key in ("architecture", "keys", "outside", "layers", "layer")}
            golden["models"].append({"label": label, **entry, "cases": cases})
            print(label, len(shapes), "tensors", len(cases), "cases", file=sys.stderr)
    target = Path(__file__).parent.parent / "test/golden/quantize-mixes.json"
    target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()
