"""Writes test/golden/fisher.json: second moments of what enters the matrices of small random models and of the
gradients by what comes out, by torch autograd; the squared peaks of blocks of
32 and 256 input columns; of some matrices also the sums of products of input columns, and of output gradients.

Models and tokens are those of forward-logits.py. Labels are drawn by inverting the distribution function at given
uniform numbers; the loss is the sum over tokens of −ln p(label). Rows of the output matrix: the expectation over
every label, one backward pass each. Gradients are kept per token by hooks, squared and summed.

Weighted Hessians: sum_t s_t a_t a_t^T / sum_t s_t, s_t the mean over output rows of the squared
gradient; of matrices that share an input, the mean of what each says, scaled to a mean of 1. Of the output matrix
the expectation over every label. Of these, and of Gram matrices (sums of dy dy^T), only blocks of 4.

Versions: transformers 4.57.6, torch 2.15, Python 3.11.
Usage: python interop/fisher.py
"""

import importlib.util
import json
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM

here = Path(__file__).parent
target = here.parent / "test/golden/fisher.json"
spec = importlib.util.spec_from_file_location("forward_logits", here / "forward-logits.py")
models = importlib.util.module_from_spec(spec)
spec.loader.exec_module(models)

# The upper triangles of their Hessians are kept, row by row.
HESSIANS = ["blk.1.attn_q.weight"]
# Blocks in which llama.cpp rounds activations.
PEAKS = [32, 256]
# Each with the matrices that weigh its tokens; the output matrix comes beside them.
WEIGHTED = {"attn_q": ["attn_q", "attn_k", "attn_v"], "attn_output": ["attn_output"], "ffn_gate": ["ffn_gate", "ffn_up"], "ffn_gate_inp": ["ffn_gate_inp"], "ffn_gate_exps": ["ffn_gate_exps", "ffn_up_exps"], "ffn_down_exps": ["ffn_down_exps"]}
GRAMS = ["attn_k", "attn_output"]
BLOCK = 4
LABELS = ["qwen2", "qwen3_moe", "gemma2"]
# seededRandom(1, 0) of src/util/random.ts, as f32.
UNIFORM = [0.8902591466903687,0.5857259631156921,0.6719982624053955,0.475593239068985,0.24740147590637207,0.7131296992301941,0.7576265335083008,0.14337268471717834,0.24776321649551392,0.6558129191398621,0.16027821600437164,0.10394857078790665,0.44538915157318115]
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "mlp.gate": "ffn_gate_inp",
}
EXPERTS = {"gate_proj": "ffn_gate_exps", "up_proj": "ffn_up_exps", "down_proj": "ffn_down_exps"}


def place(name):
    """The tensor's GGUF name and the expert of a linear layer."""
    _, _, layer, rest = name.split(".", 3)
    if rest in NAMES:
        return f"blk.{layer}.{NAMES[rest]}.weight", 0
    _, _, expert, part = rest.split(".")
    return f"blk.{layer}.{EXPERTS[part]}.weight", int(expert)


def squares(tensor):
    return tensor.double().square().flatten(0, -2).sum(0)


def peaks(tensor, size):
    """Sums of squares of the largest of so many neighbours."""
    rows = tensor.double().flatten(0, -2).abs()
    rows = torch.nn.functional.pad(rows, (0, -rows.shape[-1] % size))
    return rows.unflatten(-1, (-1, size)).amax(-1).square().sum(0)


def blocks(products):
    return rounded(torch.stack([products[at : at + BLOCK, at : at + BLOCK] for at in range(0, len(products), BLOCK)]))


def weighted(given, weights):
    rows = given.double().flatten(0, -2)
    return blocks((rows.T * weights) @ rows / weights.sum())


def gradient_products(matrices):
    """Weighted Hessians and Gram matrices of block 1, from inputs and gradients by tensor."""
    hessians = {}
    for name, sharers in WEIGHTED.items():
        if f"blk.1.{name}.weight" not in matrices:
            continue
        own = [matrices[f"blk.1.{of}.weight"][1].square().mean(-1) for of in sharers]
        hessians[f"blk.1.{name}.weight"] = weighted(matrices[f"blk.1.{name}.weight"][0], sum(s / s.mean() for s in own))
    grams = {}
    for name in GRAMS:
        gradient = matrices[f"blk.1.{name}.weight"][1]
        grams[f"blk.1.{name}.weight"] = blocks(gradient.T @ gradient)
    return hessians, grams


def measure(label):
    config = {**models.DECODER, **models.DECODERS[label]}
    model = models.build(AutoModelForCausalLM, config)
    models.fill(model, config)
    model.double()
    seen = {}

    def keep(name):
        def hook(module, inputs, output):
            output.retain_grad()
            seen[name] = (inputs[0].detach(), output)

        return hook

    linear = {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    for name, module in [*linear.items(), ("embedding", model.get_input_embeddings())]:
        module.register_forward_hook(keep(name))
    logits = model(torch.tensor([models.TOKENS]), use_cache=False).logits[0]
    log_p = logits.log_softmax(-1)
    ends = log_p.exp().cumsum(-1)
    bounds = torch.tensor(UNIFORM, dtype=torch.float64)[:, None] * ends[:, -1:]
    drawn = (ends <= bounds).sum(-1).clamp(max=logits.shape[-1] - 1)
    head_rows = torch.zeros(logits.shape[-1], dtype=torch.float64)
    head_tokens = torch.zeros(logits.shape[0], dtype=torch.float64)
    for token in range(logits.shape[-1]):
        (gradient,) = torch.autograd.grad(-log_p[:, token].sum(), seen["lm_head"][1], retain_graph=True)
        expected = gradient[0].square() * log_p[:, token].exp().detach()[:, None]
        head_rows += expected.sum(0)
        head_tokens += expected.mean(-1)
    (-log_p[torch.arange(len(drawn)), drawn].sum()).backward()
    return collect(label, config, seen, drawn, head_rows, head_tokens)


def collect(label, config, seen, drawn, head_rows, head_tokens):
    count = config.get("num_experts", 1)
    head = "token_embd.weight" if config["tie_word_embeddings"] else "output.weight"
    entries = {head: {"inputs": rounded(squares(seen["lm_head"][0])), "peaks": [rounded(peaks(seen["lm_head"][0], size)) for size in PEAKS], "outputs": rounded(head_rows), "counts": [len(models.TOKENS)]}}
    hessians = {}
    matrices = {}
    parts = {}
    for name, (given, output) in seen.items():
        if not name.startswith("model.layers"):
            continue
        tensor, expert = place(name)
        stack = count if "_exps" in tensor else 1
        if tensor in HESSIANS:
            rows = given.double().flatten(0, -2)
            products = rows.T @ rows
            hessians[tensor] = rounded(products[torch.triu_indices(*products.shape).unbind()])
        gradient = output.grad if output.grad is not None else torch.zeros_like(output)
        matrices.setdefault(tensor, []).append((given.detach().flatten(0, -2), gradient.flatten(0, -2)))
        entry = parts.setdefault(tensor, {side: torch.zeros(stack, size) for side, size in (("inputs", given.shape[-1]), ("outputs", output.shape[-1]))})
        for side, values in (("inputs", given), ("outputs", gradient)):
            entry[side] = entry[side].double()
            entry[side][expert] = squares(values)
        for at, size in enumerate(PEAKS):
            found = peaks(given, size)
            entry.setdefault("peaks", {}).setdefault(at, torch.zeros(stack, found.shape[0]).double())[expert] = found
        entry.setdefault("counts", [0] * stack)[expert] = given.flatten(0, -2).shape[0]
    for tensor, entry in parts.items():
        entries[tensor] = {"inputs": rounded(entry["inputs"]), "outputs": rounded(entry["outputs"]), "peaks": [rounded(values) for values in entry["peaks"].values()], "counts": entry["counts"]}
    weighted_hessians, grams = gradient_products({tensor: [torch.cat(values) for values in zip(*pairs)] for tensor, pairs in matrices.items()})
    weighted_hessians[head] = weighted(seen["lm_head"][0], head_tokens)
    return {
        "label": label,
        "labels": drawn.tolist(),
        "embedding": rounded(squares(seen["embedding"][1].grad)),
        "tensors": entries,
        "hessians": hessians,
        "weighted": weighted_hessians,
        "grams": grams,
    }


def rounded(tensor):
    return [float(f"{value:.6g}") for value in tensor.flatten().tolist()]


golden = {
    "source": f"transformers {transformers.__version__}, torch {torch.__version__}; interop/fisher.py",
    "uniform": UNIFORM,
    "models": [measure(label) for label in LABELS],
}
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
