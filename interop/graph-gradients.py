"""
Loss and gradients of a two-layer Llama by torch autograd in float64, written to
test/golden/graph-gradients.json. Needs transformers 4.57.6 and torch 2.15.0:

    python interop/graph-gradients.py

The forward pass is written out, as transformers keeps norms, rotations and softmax in float32; its
loss must agree with that of LlamaForCausalLM to 1e-6. Weights are whole multiples of 1/64, so that
they are exact in f32 and short in the file.
"""

import json
from pathlib import Path

import torch
import transformers

ROOT = Path(__file__).parent.parent
CONFIG = dict(
    vocab_size=13,
    hidden_size=8,
    intermediate_size=12,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=4,
    rms_norm_eps=1e-5,
    rope_theta=100.0,
    tie_word_embeddings=True,
)
BATCH, TOKENS, UNIT = 2, 6, 64


def rms_norm(x, weight):
    return weight * x / torch.sqrt((x * x).mean(-1, keepdim=True) + CONFIG["rms_norm_eps"])


def rotated(x):
    """x [B, heads, T, D], turned by position as Hugging Face's half-split layout has it."""
    half = CONFIG["head_dim"] // 2
    frequency = CONFIG["rope_theta"] ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.arange(x.shape[2], dtype=torch.float64)[:, None] * frequency
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)


def attention(x, weight):
    q, k, v = (
        (x @ weight(f"self_attn.{part}_proj").T).unflatten(-1, (-1, CONFIG["head_dim"])).transpose(1, 2)
        for part in "qkv"
    )
    group = CONFIG["num_attention_heads"] // CONFIG["num_key_value_heads"]
    k, v = rotated(k).repeat_interleave(group, 1), v.repeat_interleave(group, 1)
    scores = rotated(q) @ k.transpose(-1, -2) / CONFIG["head_dim"] ** 0.5
    future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    mixed = torch.softmax(scores.masked_fill(future, float("-inf")), -1) @ v
    return mixed.transpose(1, 2).flatten(2) @ weight("self_attn.o_proj").T


def logits_of(ids, weights):
    x = weights["model.embed_tokens.weight"][ids]
    for layer in range(CONFIG["num_hidden_layers"]):
        weight = lambda name: weights[f"model.layers.{layer}.{name}.weight"]
        x = x + attention(rms_norm(x, weight("input_layernorm")), weight)
        y = rms_norm(x, weight("post_attention_layernorm"))
        gate, up = y @ weight("mlp.gate_proj").T, y @ weight("mlp.up_proj").T
        x = x + (gate * torch.sigmoid(gate) * up) @ weight("mlp.down_proj").T
    return rms_norm(x, weights["model.norm.weight"]) @ weights["model.embed_tokens.weight"].T


def loss_of(logits, targets, mask):
    picked = torch.log_softmax(logits, -1).gather(-1, targets[..., None])[..., 0]
    return -(picked * mask).sum() / mask.sum()


def main():
    torch.manual_seed(3)
    config = transformers.LlamaConfig(**CONFIG, attn_implementation="eager")
    model = transformers.LlamaForCausalLM(config)
    weights = {}
    for name, parameter in model.named_parameters():
        whole = torch.randint(-48, 49, parameter.shape)
        parameter.data = (UNIT * ("norm" in name) + whole).float() / UNIT
        weights[name] = parameter.data.double().requires_grad_()
    ids = torch.randint(0, CONFIG["vocab_size"], (BATCH, TOKENS))
    targets = torch.randint(0, CONFIG["vocab_size"], (BATCH, TOKENS))
    mask = torch.tensor([[0, 1, 1, 1, 0, 1], [1, 0, 1, 1, 1, 1]])
    loss = loss_of(logits_of(ids, weights), targets, mask)
    assert abs(loss - loss_of(model(input_ids=ids).logits, targets, mask)) < 1e-6
    loss.backward()
    golden = {
        "source": f"torch {torch.__version__}, transformers {transformers.__version__}; interop/graph-gradients.py",
        "config": CONFIG,
        "unit": UNIT,
        "ids": ids.tolist(),
        "targets": targets.tolist(),
        "mask": mask.tolist(),
        "loss": loss.item(),
        "weights": {
            name: {
                "shape": list(weight.shape),
                "units": (weight.data * UNIT).int().flatten().tolist(),
                "gradient": [float(f"{x:.10g}") for x in weight.grad.flatten().tolist()],
            }
            for name, weight in weights.items()
        },
    }
    path = ROOT / "test/golden/graph-gradients.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes, loss {loss.item()}")


main()
