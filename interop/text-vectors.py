"""Writes test/golden/text-vectors.json: vectors of texts by small random encoders, from transformers.

Texts are cut into tokens by test/golden/tokenizer/word-piece.json through transformers' own class, at
most 48 of them; each text goes through the model alone, so that nothing is padded. The weights are
those of interop/forward-logits.py. In fp32, eager.

Versions: transformers 4.57.6, torch 2.15, Python 3.11.
Usage: python interop/text-vectors.py
"""

import importlib
import json
from pathlib import Path

import tokenizers
import torch
import transformers
from tokenizer_texts import CHECKED
from transformers import AutoModel, PreTrainedTokenizerFast

forward = importlib.import_module("forward-logits")
golden = Path(__file__).parent.parent / "test/golden"

LENGTH = 48
SIZES = {"vocab_size": 700, "max_position_embeddings": LENGTH}
POOLING = {"bert": "first", "distilbert": "mean", "mobilebert": "mean", "MiniLM": "mean"}


def tokenizer():
    content = json.loads((golden / "tokenizer/word-piece.json").read_text())["tokenizer"]
    return PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer.from_str(json.dumps(content)))


def embed(model, ids, pooling):
    with torch.no_grad():
        hidden = model(input_ids=torch.tensor([ids])).last_hidden_state[0]
    pooled = hidden[0] if pooling == "first" else hidden.mean(0)
    return torch.nn.functional.normalize(pooled, dim=0)


def encoder(label, texts):
    changes = {**forward.ENCODERS[label], **SIZES}
    config = {key: value for key, value in changes.items() if key != "spread"}
    spread = changes.get("spread", 1)
    model = forward.build(AutoModel, config)
    stored = forward.fill(model, {"tie_word_embeddings": False, **config}, spread)
    vectors = [forward.rounded(embed(model, ids, POOLING[label])) for ids in texts]
    return {"label": label, "config": config, "spread": spread, "stored": stored, "pooling": POOLING[label], "vectors": vectors}


def main():
    encode = tokenizer()
    texts = [encode(text, truncation=True, max_length=LENGTH)["input_ids"] for text in CHECKED]
    content = {
        "source": f"transformers {transformers.__version__}, torch {torch.__version__}, tokenizers {tokenizers.__version__}; interop/text-vectors.py",
        "length": LENGTH,
        "texts": CHECKED,
        "tokens": [len(ids) for ids in texts],
        "cut": sum(len(encode(text)["input_ids"]) > LENGTH for text in CHECKED),
        "encoders": [encoder(label, texts) for label in POOLING],
    }
    (golden / "text-vectors.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")


main()
