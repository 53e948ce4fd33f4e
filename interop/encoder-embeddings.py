"""Writes test/golden/encoder-embeddings.json: mean-pooled hidden states of random encoders.

The folders are those of test/model/encoder-folders.ts, made here by Node 22.18 or newer, which runs
TypeScript.

Versions: transformers 4.57.6, torch 2.15, Python 3.11.
Usage: python interop/encoder-embeddings.py
"""

import json
import subprocess
import tempfile
from pathlib import Path

import torch
import transformers

ROOT = Path(__file__).parent.parent
# [CLS] ... [SEP]
TOKENS = [2, 17, 29, 108, 8, 221, 11, 3]
LABELS = ["bert, mean pooling, as MiniLM", "distilbert"]
WRITE = "const { writeEncoderFolder } = await import(process.argv[1]); writeEncoderFolder(process.argv[2], process.argv[3]);"


def mean(label, folder):
    module = (ROOT / "test/model/encoder-folders.ts").as_uri()
    subprocess.run(["node", "--input-type=module", "-e", WRITE, module, folder, label], check=True, capture_output=True)
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        hidden = model(input_ids=torch.tensor([TOKENS])).last_hidden_state[0]
    return [float(f"{value:.7g}") for value in hidden.mean(0).tolist()]


def main():
    with tempfile.TemporaryDirectory() as parent:
        means = {label: mean(label, f"{parent}/{at}") for at, label in enumerate(LABELS)}
    source = f"transformers {transformers.__version__}, torch {torch.__version__}; interop/encoder-embeddings.py"
    golden = {"source": source, "tokens": TOKENS, "means": means}
    (ROOT / "test/golden/encoder-embeddings.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()
