"""Gives the model in the box another structure and trains it on, for measurements on more than one model.

`qwen3`: norms on queries and keys, a matrix of its own for the output. `gemma2`: GELU, norms after both parts of a
layer, soft caps, a window in every other layer, a scaled embedding. The weights of models/sample are first brought into
the places of the new structure, so that little text suffices; they move in training, yet the models are relatives: they
test structures, not chance. AdamW 0.9/0.95, weight decay 0.1, clip 1, a warm-up of 3 % and a cosine decay to 5 %.

Not trained on: the eight books that models/sample leaves out (LEFT_OUT), and TEXT, which is for the loss before and after
only.

Versions: torch 2.15, transformers 4.57.6, safetensors 0.6, Python 3.11.
Usage: python interop/train-small-model.py NAME BOOKS_FOLDER TEXT OUT_FOLDER [--steps 60] [--threads 2]
"""

import argparse
import math
import shutil
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, Gemma2Config, PreTrainedTokenizerFast, Qwen3Config

LEFT_OUT = {74, 76, 2557, 4230, 5347, 15281, 18420, 42796}
SAMPLE = Path(__file__).parent.parent / "models/sample"
CONTEXT, BATCH, PEAK_RATE, WARMUP = 256, 4, 1e-3, 0.03
EVALUATION_CHUNKS = 32
# Gemma's embedding is 16 times smaller than what it stands for, and so must be its steps.
EMBEDDING_RATE = {"qwen3": 1, "gemma2": 1 / 16}

shared = dict(
    vocab_size=4096, hidden_size=256, intermediate_size=768, num_hidden_layers=8, num_attention_heads=4,
    num_key_value_heads=2, head_dim=64, max_position_embeddings=512, rope_theta=10000.0, rms_norm_eps=1e-5,
    bos_token_id=0, eos_token_id=0, pad_token_id=1,
)
CONFIGS = {
    "qwen3": Qwen3Config(**shared, tie_word_embeddings=False),
    "gemma2": Gemma2Config(
        **shared, query_pre_attn_scalar=64, sliding_window=256, hidden_activation="gelu_pytorch_tanh",
        attn_implementation="eager",
    ),
}


def tokenize(text):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(SAMPLE / "tokenizer.json"))
    return [0, *tokenizer(text).input_ids]


def read_books(folder):
    """All books to train on, each opened by the end-of-text token, as one row of token ids."""
    tokens = []
    for path in sorted(folder.glob("*.txt")):
        if int(path.name.split("-")[0]) not in LEFT_OUT:
            tokens += tokenize(path.read_text(encoding="utf-8"))
    return torch.tensor(tokens)


def output_sizes(sample, tokens):
    """The root mean square of what the parts of each layer give on `tokens`, by the part's name."""
    parts = ("q_proj", "k_proj", "self_attn", "mlp")
    sizes = {}

    def hook_of(name):
        def hook(_module, _inputs, output):
            sizes[name] = (output[0] if isinstance(output, tuple) else output).square().mean().sqrt()

        return hook

    found = [(name, part) for name, part in sample.named_modules() if name.endswith(parts)]
    hooks = [part.register_forward_hook(hook_of(name)) for name, part in found]
    sample(input_ids=tokens)
    for hook in hooks:
        hook.remove()
    return sizes


def to_qwen3(weights, sizes):
    """The new norms get the size that queries and keys have; the output gets a copy of the embedding."""
    for layer in range(8):
        for part in ["q", "k"]:
            size = sizes[f"model.layers.{layer}.self_attn.{part}_proj"]
            weights[f"model.layers.{layer}.self_attn.{part}_norm.weight"] = size.repeat(64)
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"].clone()


def to_gemma2(weights, sizes):
    """The same function but for the new norms, which get the size that their part of the layer has.

    Gemma multiplies the embedding by the root of the width and adds one to the weight of a norm. gelu(x / 1.702) is
    about silu(x) / 1.702.
    """
    weights["model.embed_tokens.weight"] /= 16
    weights["model.norm.weight"] *= 16
    for layer in (f"model.layers.{layer}" for layer in range(8)):
        weights[f"{layer}.mlp.gate_proj.weight"] /= 1.702
        weights[f"{layer}.mlp.up_proj.weight"] *= 1.702
        weights[f"{layer}.pre_feedforward_layernorm.weight"] = weights[f"{layer}.post_attention_layernorm.weight"]
        weights[f"{layer}.post_attention_layernorm.weight"] = sizes[f"{layer}.self_attn"].repeat(256)
        weights[f"{layer}.post_feedforward_layernorm.weight"] = sizes[f"{layer}.mlp"].repeat(256)
    for name in weights:
        if "norm" in name:
            weights[name] = weights[name] - 1


@torch.no_grad()
def start(name, tokens):
    """A model of the structure `name` with the weights of models/sample, measured on `tokens` where it has new norms."""
    sample = AutoModelForCausalLM.from_pretrained(SAMPLE, dtype=torch.float32)
    weights = {key: value.clone() for key, value in sample.state_dict().items() if key != "lm_head.weight"}
    {"qwen3": to_qwen3, "gemma2": to_gemma2}[name](weights, output_sizes(sample, tokens))
    model = AutoModelForCausalLM.from_config(CONFIGS[name])
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    return model


def chunks(tokens, starts):
    rows = torch.stack([tokens[start : start + CONTEXT + 1] for start in starts])
    return rows[:, :-1], rows[:, 1:]


def loss_of(model, inputs, targets):
    logits = model(input_ids=inputs, use_cache=False).logits
    return cross_entropy(logits.float().flatten(0, 1), targets.flatten())


@torch.no_grad()
def evaluate(model, tokens):
    """The mean loss in nats a token on chunks spread evenly over a text."""
    starts = torch.linspace(0, len(tokens) - CONTEXT - 1, EVALUATION_CHUNKS).long()
    losses = [loss_of(model, *chunks(tokens, part)) for part in starts.split(BATCH)]
    return torch.stack(losses).mean().item()


def share_of_rate(done):
    """What is left of the peak learning rate after the share `done` of the steps."""
    decayed = max(0, (done - WARMUP) / (1 - WARMUP))
    return min(1, done / WARMUP) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * decayed)))


def train(model, tokens, steps, embedding_rate):
    embedding = model.get_input_embeddings().weight
    matrices = [p for p in model.parameters() if p.dim() > 1 and p is not embedding]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    groups = [
        {"params": matrices, "weight_decay": 0.1, "share": 1},
        {"params": vectors, "weight_decay": 0.0, "share": 1},
        {"params": [embedding], "weight_decay": 0.1, "share": embedding_rate},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95), fused=True)
    mean = None
    for step in range(1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * group["share"] * share_of_rate(step / steps)
        starts = torch.randint(len(tokens) - CONTEXT - 1, (BATCH,))
        loss = loss_of(model, *chunks(tokens, starts))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        mean = loss.item() if mean is None else 0.95 * mean + 0.05 * loss.item()
        if step % 25 == 0:
            print(f"{step:5} steps  {step * BATCH * CONTEXT:8} tokens  loss {mean:.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=CONFIGS)
    parser.add_argument("books", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    tokens = read_books(options.books)
    unseen = torch.tensor(tokenize(options.text.read_text(encoding="utf-8")))
    model = start(options.name, tokens[:CONTEXT][None])
    print(f"{model.num_parameters()} parameters, loss on the text {evaluate(model, unseen):.4f}", flush=True)
    train(model, tokens, options.steps, EMBEDDING_RATE[options.name])
    print(f"loss on the text {evaluate(model, unseen):.4f}")
    model.to(torch.bfloat16).save_pretrained(options.out)
    for name in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(SAMPLE / name, options.out)


main()
