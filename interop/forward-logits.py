"""Writes test/golden/forward.json: logits of small random models of every family, by transformers.

Each model has the true structure of its family and weights from a formula that the test repeats, so
only its config.json, the names and shapes of its tensors, and a few rows of its output are kept: logits
of decoders, the last hidden states of encoders and their sentence embedding, each text alone: padded
ones would differ in MobileBERT. All in fp32, eager.

Versions: transformers 4.57.6, torch 2.15, Python 3.11.
Usage: python interop/forward-logits.py [FOLDER]
With FOLDER, each checkpoint is also written there, for tools that read Hugging Face folders.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModel, AutoModelForCausalLM
from transformers.modeling_utils import no_init_weights

target = Path(__file__).parent.parent / "test/golden/forward.json"

TOKENS = [3, 17, 29, 8, 8, 21, 1, 30, 12, 5, 26, 19, 2]
ROWS = [0, 4, 9, 12]
PAIR = {
    "tokens": [[2, 17, 29, 8, 8, 21, 1, 3], [2, 11, 25, 6, 3, 0, 0, 0]],
    "mask": [[1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0, 0]],
    "types": [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0, 0]],
}

DECODER = {
    "vocab_size": 32,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": None,
}
RMS = {"rms_norm_eps": 1e-5, "hidden_act": "silu"}
WIDE = {"head_dim": 16}
EXPERTS = {"moe_intermediate_size": 24, "num_experts_per_tok": 2, "num_experts": 5}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
LONGROPE = {"type": "longrope", "short_factor": [1.0, 1.1, 1.25, 1.5], "long_factor": [1.0, 2.5, 4.0, 7.5]}
GEMMA = {"hidden_activation": "gelu_pytorch_tanh", "rms_norm_eps": 1e-6, "tie_word_embeddings": True, **WIDE}
ENCODER = {
    "vocab_size": 32,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "pad_token_id": 0,
}

DECODERS = {
    "llama, tied": {"model_type": "llama", **RMS, "tie_word_embeddings": True},
    "llama, wide heads, biases": {"model_type": "llama", **RMS, **WIDE, "attention_bias": True, "mlp_bias": True},
    "llama, llama3 rope": {"model_type": "llama", **RMS, "rope_scaling": LLAMA3, "rope_theta": 500000.0},
    "llama, linear rope": {"model_type": "llama", **RMS, "rope_scaling": {"rope_type": "linear", "factor": 4.0}},
    "llama, yarn": {"model_type": "llama", **RMS, "rope_scaling": YARN},
    "llama, yarn with a magnitude of its own": {"model_type": "llama", **RMS, "rope_scaling": {**YARN, "attention_factor": 1.3}},
    "mistral": {"model_type": "mistral", **RMS, "sliding_window": None},
    "mistral, window of 5": {"model_type": "mistral", **RMS, "sliding_window": 5},
    "mixtral": {"model_type": "mixtral", **RMS, "num_local_experts": 5, "num_experts_per_tok": 2, "sliding_window": None},
    "qwen2": {"model_type": "qwen2", **RMS, "tie_word_embeddings": True, "use_sliding_window": False},
    "qwen2_moe": {"model_type": "qwen2_moe", **RMS, **EXPERTS, "shared_expert_intermediate_size": 40, "norm_topk_prob": False, "decoder_sparse_step": 1},
    "qwen3": {"model_type": "qwen3", **RMS, **WIDE},
    "qwen3_moe": {"model_type": "qwen3_moe", **RMS, **WIDE, **EXPERTS, "norm_topk_prob": True, "decoder_sparse_step": 1},
    "phi": {"model_type": "phi", "intermediate_size": 128, "num_key_value_heads": 4, "partial_rotary_factor": 0.5, "hidden_act": "gelu_new", "layer_norm_eps": 1e-5, "qk_layernorm": False},
    "phi3": {"model_type": "phi3", **RMS, "sliding_window": None, "original_max_position_embeddings": 256},
    "phi3, window of 5": {"model_type": "phi3", **RMS, "sliding_window": 5, "original_max_position_embeddings": 256},
    "phi3, longrope within the original context": {"model_type": "phi3", **RMS, "sliding_window": None, "rope_scaling": LONGROPE, "original_max_position_embeddings": 1024, "max_position_embeddings": 4096},
    "phi3, longrope beyond the original context": {"model_type": "phi3", **RMS, "sliding_window": None, "rope_scaling": LONGROPE, "original_max_position_embeddings": 8},
    "gemma": {"model_type": "gemma", **GEMMA, "num_key_value_heads": 1},
    "gemma2": {"model_type": "gemma2", **GEMMA, "query_pre_attn_scalar": 16, "sliding_window": 5, "attn_logit_softcapping": 4.0, "final_logit_softcapping": 3.0},
    "gemma3_text": {"model_type": "gemma3_text", **GEMMA, "num_hidden_layers": 6, "query_pre_attn_scalar": 16, "sliding_window": 5, "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
    "stablelm": {"model_type": "stablelm", "hidden_act": "silu", "layer_norm_eps": 1e-5, "partial_rotary_factor": 0.25, "use_qkv_bias": True, "use_parallel_residual": False, "qk_layernorm": False},
    "stablelm, parallel, norms of heads": {"model_type": "stablelm", "hidden_act": "silu", "layer_norm_eps": 1e-5, "partial_rotary_factor": 0.5, "use_qkv_bias": False, "use_parallel_residual": True, "qk_layernorm": True},
    "gpt2": {"model_type": "gpt2", "vocab_size": 32, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "n_ctx": 64, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "tie_word_embeddings": True},
}
ENCODERS = {
    "bert": {"model_type": "bert", **ENCODER, "layer_norm_eps": 1e-12},
    "distilbert": {"model_type": "distilbert", "vocab_size": 32, "dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 16, "activation": "gelu", "pad_token_id": 0},
    "mobilebert": {"model_type": "mobilebert", **ENCODER, "embedding_size": 16, "intra_bottleneck_size": 16, "hidden_act": "relu", "num_feedforward_networks": 3, "key_query_shared_bottleneck": True, "use_bottleneck": True, "use_bottleneck_attention": False, "trigram_input": True, "normalization_type": "no_norm", "classifier_activation": False, "layer_norm_eps": 1e-12, "spread": 0.5},
    "MiniLM": {"model_type": "bert", **ENCODER, "num_hidden_layers": 3, "layer_norm_eps": 1e-12},
}


def numbers(seed, count):
    """BF16 values in [-0.5, 0.5) from an integer hash of seed and position (as hugging-face-families.py)."""
    x = np.arange(count, dtype=np.uint64) * 2654435761 + seed * 40503 & 0xFFFFFFFF
    x ^= x >> np.uint64(15)
    x = x * 2246822519 & 0xFFFFFFFF
    x ^= x >> np.uint64(13)
    values = ((x >> np.uint64(16)).astype(np.float32) - 32768) / 65536
    return (values.view(np.uint32) & 0xFFFF0000).view(np.float32)


def fill(model, config, spread=1):
    """Sets every weight: norms to 1 + half a number (gemma's to a half: it adds the 1), the rest to numbers times spread."""
    stored = {}
    with torch.no_grad():
        state = {name: tensor for name, tensor in model.state_dict().items() if not tied(name, config)}
        for seed, (name, tensor) in enumerate(state.items()):
            values = torch.from_numpy(numbers(seed, tensor.numel())).reshape(tensor.shape)
            if tensor.dim() == 1 and name.endswith("weight"):
                values = values / 2 + (0 if config["model_type"].startswith("gemma") else 1)
            else:
                values = values * spread
            tensor.copy_(values)
            stored[name] = list(tensor.shape)
    model.tie_weights()
    return stored


def tied(name, config):
    return name == "lm_head.weight" and config["tie_word_embeddings"]


def rounded(tensor):
    return [float(f"{value:.7g}") for value in tensor.flatten().tolist()]


def build(auto, config):
    kind = transformers.AutoConfig.for_model(**config)
    kind._attn_implementation = "eager"
    with no_init_weights():
        return auto.from_config(kind).eval().float()


def save(folder, label, model, config):
    if folder is None:
        return
    place = Path(folder) / label.replace(", ", "-").replace(" ", "-")
    place.mkdir(parents=True, exist_ok=True)
    architecture = type(model).__name__
    (place / "config.json").write_text(json.dumps({"architectures": [architecture], "torch_dtype": "float32", **config}))
    keep = {name: tensor.clone() for name, tensor in model.state_dict().items() if not tied(name, {"tie_word_embeddings": False, **config})}
    save_file(keep, place / "model.safetensors", metadata={"format": "pt"})


def decode(label, changes, folder):
    config = changes if changes["model_type"] == "gpt2" else {**DECODER, **changes}
    model = build(AutoModelForCausalLM, config)
    stored = fill(model, config)
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([TOKENS])).logits[0]
    save(folder, label, model, config)
    return {"label": label, "config": config, "stored": stored, "logits": rounded(logits[ROWS])}


def encode(label, changes, folder):
    config = {key: value for key, value in changes.items() if key != "spread"}
    spread = changes.get("spread", 1)
    model = build(AutoModel, config)
    stored = fill(model, {"tie_word_embeddings": False, **config}, spread)
    texts = []
    for tokens, mask, types in zip(PAIR["tokens"], PAIR["mask"], PAIR["types"]):
        length = sum(mask)
        known = {} if config["model_type"] == "distilbert" else {"token_type_ids": torch.tensor([types[:length]])}
        with torch.no_grad():
            texts.append(model(input_ids=torch.tensor([tokens[:length]]), **known).last_hidden_state[0])
    embedding = torch.stack([torch.nn.functional.normalize(hidden.mean(0), dim=0) for hidden in texts])
    save(folder, label, model, config)
    rows = torch.stack([texts[0][0], texts[0][7], texts[1][0], texts[1][4]])
    return {"label": label, "config": config, "spread": spread, "stored": stored, "hidden": rounded(rows), "embedding": rounded(embedding)}


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else None
    golden = {
        "source": f"transformers {transformers.__version__}, torch {torch.__version__}; interop/forward-logits.py",
        "tokens": TOKENS,
        "rows": ROWS,
        "pair": {**PAIR, "rows": [[0, 0], [0, 7], [1, 0], [1, 4]]},
        "decoders": [decode(label, changes, folder) for label, changes in DECODERS.items()],
        "encoders": [encode(label, config, folder) for label, config in ENCODERS.items()],
    }
    target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
