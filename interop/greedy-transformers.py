"""
Greedy tokens of the random checkpoints in test/model/random-checkpoint.ts by transformers, written to
test/golden/greedy.json. Needs transformers 4.57.6, torch 2.15.0, numpy, and Node 22.18 or newer (which
runs TypeScript):

    python interop/greedy-transformers.py
"""

import json
import subprocess
import tempfile
from pathlib import Path

import torch
import transformers

ROOT = Path(__file__).parent.parent
PROMPTS = [
    "Once upon a time there was a little",
    '"Who is there?" said the old wolf, "',
    "\n\nCHAPTER II.\n\nThe King",
]
GENERATED = 64
WRITE = """
const { checkpoints, writeCheckpoint } = await import(process.argv[1]);
for (const [at, checkpoint] of Object.values(checkpoints).entries()) {
  writeCheckpoint(`${process.argv[2]}/${at}`, checkpoint, at + 1);
}
console.log(JSON.stringify(Object.keys(checkpoints)));
"""


def write_checkpoints(folder):
    module = (ROOT / "test/model/random-checkpoint.ts").as_uri()
    run = subprocess.run(
        ["node", "--input-type=module", "-e", WRITE, module, folder], capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def greedy(model, prompt):
    """The prompt without a cache at every step: slow, and nothing to get wrong."""
    tokens, tops = list(prompt), []
    for _ in range(GENERATED):
        with torch.no_grad():
            logits = model(torch.tensor([tokens]), use_cache=False).logits[0, -1]
        tokens.append(int(logits.argmax()))
        tops.append(round(float(logits.max()), 5))
    return {"prompt": list(prompt), "tokens": tokens[len(prompt) :], "logits": tops}


def continuations(folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    return [greedy(model.eval(), tokenizer(text, add_special_tokens=False)["input_ids"]) for text in PROMPTS]


def main():
    versions = f"transformers {transformers.__version__}, torch {torch.__version__}"
    golden = {"source": f"{versions}; interop/greedy-transformers.py", "models": {}}
    with tempfile.TemporaryDirectory() as folder:
        for at, name in enumerate(write_checkpoints(folder)):
            golden["models"][name] = continuations(f"{folder}/{at}")
            print(name)
        golden["models"]["sample"] = continuations(ROOT / "models/sample")
    (ROOT / "test/golden/greedy.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()
