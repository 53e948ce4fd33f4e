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
import transformers  # noqa: E402
from conversion import get_model_class  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

root = Path(__file__).parent.parent

ARCHITECTURES = {
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "mixtral": "MixtralForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen2_moe": "Qwen2MoeForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "qwen3_moe": "Qwen3MoeForCausalLM",
    "phi": "PhiForCausalLM",
    "phi3": "Phi3ForCausalLM",
    "gemma": "GemmaForCausalLM",
    "gemma2": "Gemma2ForCausalLM",
    "gemma3_text": "Gemma3ForCausalLM",
    "stablelm": "StableLmForCausalLM",
    "gpt2": "GPT2LMHeadModel",
    "bert": "BertModel",
    "distilbert": "DistilBertModel",
}

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
    "pad_token_id": 0,
    "tie_word_embeddings": False,
}
LLAMA3 = {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
YARN = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 24.0, "attention_factor": 1.25}

LONGROPE = {"type": "longrope", "long_factor": [1.0 + n / 2 for n in range(8)], "short_factor": [1.0 + n / 64 for n in range(8)]}
LONGROPE_12 = {"type": "longrope", "long_factor": [1.0 + n for n in range(6)], "short_factor": [1.0] * 6}
GEMMA = {"hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": True, "head_dim": 32, "query_pre_attn_scalar": 32}
LAYER_NORM = {"rms_norm_eps": None, "layer_norm_eps": 1e-5}
BERT = {"hidden_act": "gelu", "layer_norm_eps": 1e-12, "type_vocab_size": 2, "num_key_value_heads": None, "tie_word_embeddings": None, "rope_theta": None, "rms_norm_eps": None}
GPT2 = {"model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 32, "n_ctx": 32, "vocab_size": 48, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5}
# llama.cpp has no architecture for it: only its tensors are kept.
MOBILEBERT = {"model_type": "mobilebert", "hidden_size": 64, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "embedding_size": 24, "intra_bottleneck_size": 32, "num_feedforward_networks": 3, "max_position_embeddings": 32, "vocab_size": 48, "hidden_act": "relu"}
DISTILBERT = {"model_type": "distilbert", "dim": 64, "hidden_dim": 96, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 32, "vocab_size": 48, "activation": "gelu"}
MEAN_POOLING = {
    "modules.json": [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ],
    "1_Pooling/config.json": {"word_embedding_dimension": 64, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True},
}

# A config.json with BASE's fields, unless it names its own width; None removes a field.
CASES = {
    "llama, tied": {"model_type": "llama", "tie_word_embeddings": True},
    "llama 3 rope, biases": {"model_type": "llama", "attention_bias": True, "mlp_bias": True, "rope_scaling": LLAMA3, "rope_theta": 500000.0},
    "llama, one kv head, linear rope": {"model_type": "llama", "num_key_value_heads": 1, "rope_scaling": {"type": "linear", "factor": 2.0}},
    "llama, every head its own kv, dynamic rope": {"model_type": "llama", "num_key_value_heads": 4, "rope_scaling": {"type": "dynamic", "factor": 2.0}},
    "llama, yarn": {"model_type": "llama", "rope_scaling": YARN},
    "mistral, wide heads, sliding window": {"model_type": "mistral", "head_dim": 32, "sliding_window": 32},
    "mixtral, 3 experts": {"model_type": "mixtral", "num_local_experts": 3, "num_experts_per_tok": 2},
    "qwen2, tied": {"model_type": "qwen2", "tie_word_embeddings": True, "use_sliding_window": False, "sliding_window": 64},
    "qwen2, yarn": {"model_type": "qwen2", "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}},
    "qwen2_moe, a shared expert": {"model_type": "qwen2_moe", "num_experts": 3, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 48},
    "qwen3, wide heads": {"model_type": "qwen3", "head_dim": 32, "rms_norm_eps": 1e-6},
    "qwen3_moe, wide heads": {"model_type": "qwen3_moe", "head_dim": 32, "num_experts": 3, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "norm_topk_prob": True},
    "phi, half of each head rotated": {"model_type": "phi", **LAYER_NORM, "hidden_act": "gelu_new", "intermediate_size": 256, "num_key_value_heads": 4, "partial_rotary_factor": 0.5},
    "phi3, longrope, sliding window": {"model_type": "phi3", "original_max_position_embeddings": 64, "rope_scaling": LONGROPE, "sliding_window": 32},
    "phi3, three quarters of each head rotated, tied": {"model_type": "phi3", "original_max_position_embeddings": 64, "rope_scaling": LONGROPE_12, "partial_rotary_factor": 0.75, "tie_word_embeddings": True},
    "phi3, plain": {"model_type": "phi3", "original_max_position_embeddings": 256},
    "gemma, one kv head": {"model_type": "gemma", **GEMMA, "num_key_value_heads": 1},
    "gemma2": {"model_type": "gemma2", **GEMMA, "sliding_window": 32, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0},
    "gemma3_text, linear rope": {"model_type": "gemma3_text", **GEMMA, "sliding_window": 32, "rope_local_base_freq": 10000.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
    "stablelm, biases": {"model_type": "stablelm", **LAYER_NORM, "use_qkv_bias": True, "use_parallel_residual": False, "partial_rotary_factor": 0.25},
    "gpt2": GPT2,
    "bert": {"model_type": "bert", **BERT},
    "bert with a masked language head": {"model_type": "bert", **BERT, "class": "BertForMaskedLM"},
    "bert, mean pooling, as MiniLM": {"model_type": "bert", **BERT, "files": MEAN_POOLING},
    "distilbert": DISTILBERT,
}


def configuration(changes):
    config = changes if {"n_embd", "dim"} & changes.keys() else {**BASE, **changes}
    return {name: value for name, value in config.items() if value is not None and name not in ("class", "files")}


def checkpoint_shapes(config, architecture):
    """The tensors that transformers saves for a model, as it builds it."""
    settings = transformers.AutoConfig.for_model(**config)
    with torch.device("meta"), transformers.modeling_utils.no_init_weights():
        model = getattr(transformers, architecture)._from_config(settings)
    tied = set(model._tied_weights_keys or []) if settings.tie_word_embeddings else set()
    shapes = {name: list(tensor.shape) for name, tensor in model.state_dict().items() if name not in tied}
    if config["model_type"] == "mistral":
        # Old checkpoints carry them.
        shapes |= {f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": [16] for layer in range(2)}
    return shapes


def numbers(seed, count):
    """BF16 values in [-0.5, 0.5) from an integer hash of seed and position."""
    x = np.arange(count, dtype=np.uint64) * 2654435761 + seed * 40503 & 0xFFFFFFFF
    x ^= x >> np.uint64(15)
    x = x * 2246822519 & 0xFFFFFFFF
    x ^= x >> np.uint64(13)
    values = ((x >> np.uint64(16)).astype(np.float32) - 32768) / 65536
    return (values.view(np.uint32) & 0xFFFF0000).view(np.float32)


def write_checkpoint(folder, config, shapes, architecture):
    tensors = {}
    for seed, (name, shape) in enumerate(shapes.items()):
        tensors[name] = torch.from_numpy(numbers(seed, int(np.prod(shape)))).reshape(shape).to(torch.bfloat16)
    save_file(tensors, folder / "model.safetensors")
    config = {"architectures": [architecture], "torch_dtype": "bfloat16", **config}
    (folder / "config.json").write_text(json.dumps(config))
    # Gemma 3 asks it for the number of tokens.
    vocabulary = {str(token): token for token in range(config["vocab_size"])}
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}, "added_tokens": []}))


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
        config = configuration(changes)
        architecture = changes.get("class", ARCHITECTURES[config["model_type"]])
        shapes = checkpoint_shapes(config, architecture)
        files = changes.get("files", {})
        with tempfile.TemporaryDirectory() as parent:
            folder = Path(parent) / "tiny-model"
            folder.mkdir()
            write_checkpoint(folder, config, shapes, architecture)
            for name, content in files.items():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(json.dumps(content))
            converted = describe(convert(folder, architecture))
        case = {"label": label, "config": config, "stored": shapes}
        cases.append({**case, **({"files": files} if files else {}), **converted})
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "sample"
        shutil.copytree(root / "models/sample", folder)
        sample = describe(convert(folder, "LlamaForCausalLM"))
    mobilebert = {"config": MOBILEBERT, "stored": checkpoint_shapes(MOBILEBERT, "MobileBertModel")}
    source = "convert_hf_to_gguf.py of llama.cpp v0.5.0, transformers 4.57.6; interop/hugging-face-families.py"
    golden = {"source": source, "cases": cases, "sample": sample, "mobilebert": mobilebert}
    target = root / "test/golden/families.json"
    target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()
