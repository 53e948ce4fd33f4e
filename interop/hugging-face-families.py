"""Writes test/golden/families.json: what convert_hf_to_gguf.py makes of small checkpoints.

Builds a checkpoint of each family with the true structure and numbers from a formula that the test
repeats, converts it to an F32 GGUF file without a vocabulary, and keeps every key and a digest of
every tensor's values. The model in the box is converted too.

Versions: llama.cpp v0.5.0 (conversion/, gguf-py), transformers 4.57, torch 2.15, Python 3.11.
Usage: python interop/hugging-face-families.py LLAMA_CPP_FOLDER
"""

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, sys.argv[1])
sys.path.insert(1, str(Path(sys.argv[1]) / "gguf-py"))
import gguf  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from conversion import get_model_class  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

root = Path(__file__).parent.parent

ARCHITECTURES = {"llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}

BASE = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_act": "silu",
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-5,
    "rope_theta": 50000.0,
    "vocab_size": 48,
    "tie_word_embeddings": False,
}
LLAMA3 = {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
YARN = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 24.0, "attention_factor": 1.25}

CASES = {
    "llama, tied": {"model_type": "llama", "tie_word_embeddings": True, "rope_scaling": None},
    "llama 3 rope, biases": {"model_type": "llama", "attention_bias": True, "mlp_bias": True, "rope_scaling": LLAMA3, "rope_theta": 500000.0},
    "llama, one kv head, linear rope": {"model_type": "llama", "num_key_value_heads": 1, "rope_scaling": {"type": "linear", "factor": 2.0}},
    "llama, every head its own kv, dynamic rope": {"model_type": "llama", "num_key_value_heads": 4, "rope_scaling": {"type": "dynamic", "factor": 2.0}},
    "llama, yarn": {"model_type": "llama", "rope_scaling": YARN},
    "mistral, wide heads, sliding window": {"model_type": "mistral", "head_dim": 32, "sliding_window": 32, "rotary_buffers": True},
    "qwen2, tied": {"model_type": "qwen2", "tie_word_embeddings": True, "use_sliding_window": False, "sliding_window": 64},
    "qwen2, yarn": {"model_type": "qwen2", "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}},
    "qwen3, wide heads": {"model_type": "qwen3", "head_dim": 32, "rms_norm_eps": 1e-6},
}


def checkpoint_shapes(config, rotary_buffers):
    width, ffn, vocab = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    head_dim = config.get("head_dim", width // config["num_attention_heads"])
    query, kv = config["num_attention_heads"] * head_dim, config["num_key_value_heads"] * head_dim
    shapes = {"model.embed_tokens.weight": [vocab, width]}
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        for name, (rows, columns) in {"q": (query, width), "k": (kv, width), "v": (kv, width), "o": (width, query)}.items():
            shapes[f"{at}.self_attn.{name}_proj.weight"] = [rows, columns]
            has_bias = config.get("attention_bias") or (config["model_type"] == "qwen2" and name != "o")
            if has_bias:
                shapes[f"{at}.self_attn.{name}_proj.bias"] = [rows]
        if config["model_type"] == "qwen3":
            shapes |= {f"{at}.self_attn.{name}_norm.weight": [head_dim] for name in "qk"}
        if rotary_buffers:
            shapes[f"{at}.self_attn.rotary_emb.inv_freq"] = [head_dim // 2]
        for name, shape in {"gate": [ffn, width], "up": [ffn, width], "down": [width, ffn]}.items():
            shapes[f"{at}.mlp.{name}_proj.weight"] = shape
            if config.get("mlp_bias"):
                shapes[f"{at}.mlp.{name}_proj.bias"] = shape[:1]
        shapes |= {f"{at}.{name}_layernorm.weight": [width] for name in ("input", "post_attention")}
    shapes["model.norm.weight"] = [width]
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = [vocab, width]
    return shapes


def numbers(seed, count):
    """BF16 values in [-0.5, 0.5) from an integer hash of seed and position."""
    x = np.arange(count, dtype=np.uint64) * 2654435761 + seed * 40503 & 0xFFFFFFFF
    x ^= x >> np.uint64(15)
    x = x * 2246822519 & 0xFFFFFFFF
    x ^= x >> np.uint64(13)
    values = ((x >> np.uint64(16)).astype(np.float32) - 32768) / 65536
    return (values.view(np.uint32) & 0xFFFF0000).view(np.float32)


def write_checkpoint(folder, config, shapes):
    tensors = {}
    for seed, (name, shape) in enumerate(shapes.items()):
        tensors[name] = torch.from_numpy(numbers(seed, int(np.prod(shape)))).reshape(shape).to(torch.bfloat16)
    save_file(tensors, folder / "model.safetensors")
    config = {"architectures": [ARCHITECTURES[config["model_type"]]], "torch_dtype": "bfloat16", **config}
    (folder / "config.json").write_text(json.dumps(config))


def convert(folder, architecture):
    model_class = get_model_class(architecture)
    model_class.set_vocab = lambda self: None
    target = folder / "model.gguf"
    with torch.inference_mode():
        model_class(folder, gguf.LlamaFileType.ALL_F32, target, eager=True).write()
    return gguf.GGUFReader(target)


def describe(reader):
    fields = {name: field for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    keys = {name: [field.types[0].name.lower(), field.contents()] for name, field in fields.items()}
    tensors = {}
    for tensor in reader.tensors:
        values = np.asarray(tensor.data, dtype="<f4")
        shape = [int(size) for size in reversed(tensor.shape)]
        if tensor.name == "rope_freqs.weight":
            tensors[tensor.name] = {"shape": shape, "values": [float(value) for value in values]}
        else:
            tensors[tensor.name] = {"shape": shape, "digest": hashlib.sha256(values.tobytes()).hexdigest()[:12]}
    return {"keys": keys, "tensors": tensors}


def main():
    cases = []
    for label, changes in CASES.items():
        config = {**BASE, **changes}
        shapes = checkpoint_shapes(config, config.pop("rotary_buffers", False))
        with tempfile.TemporaryDirectory() as parent:
            folder = Path(parent) / "tiny-model"
            folder.mkdir()
            write_checkpoint(folder, config, shapes)
            converted = describe(convert(folder, ARCHITECTURES[config["model_type"]]))
        cases.append({"label": label, "config": config, "stored": shapes, **converted})
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "sample"
        shutil.copytree(root / "models/sample", folder)
        sample = describe(convert(folder, "LlamaForCausalLM"))
    golden = {"source": "convert_hf_to_gguf.py of llama.cpp v0.5.0; interop/hugging-face-families.py", "cases": cases, "sample": sample}
    target = root / "test/golden/families.json"
    target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()
