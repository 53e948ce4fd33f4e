"""Writes test/golden/greedy-families.json: greedy tokens of what convert_hf_to_gguf.py makes.

Converts the random checkpoints of test/model/family-checkpoints.ts to F32 GGUF files, with the tokenizer
of the model in the box, and lets llama.cpp continue three texts with each.

Versions: llama.cpp v0.5.0 (conversion/, gguf-py), node-llama-cpp 3.22.1, transformers 4.57.6, torch 2.15.
Needs Node 22.18 or newer, which runs TypeScript.
Usage: python interop/greedy-families.py LLAMA_CPP_FOLDER
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, sys.argv[1])
sys.path.insert(1, str(Path(sys.argv[1]) / "gguf-py"))
import gguf  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from conversion import get_model_class  # noqa: E402

ROOT = Path(__file__).parent.parent
TEXTS = ["Once upon a time there was a little", '"Who is there?" said the old wolf, "', "\n\nCHAPTER II.\n\nThe King"]
GENERATED = 48
WRITE = """
const { familyCheckpoints, writeFamilyCheckpoint } = await import(process.argv[1]);
for (const [at, entry] of familyCheckpoints.entries()) writeFamilyCheckpoint(`${process.argv[2]}/${at}`, entry, at + 1);
console.log(JSON.stringify(familyCheckpoints.map(({ label }) => label)));
"""


def node(*arguments):
    return json.loads(subprocess.run(["node", *map(str, arguments)], capture_output=True, text=True, check=True, cwd=ROOT).stdout)


def convert(folder):
    """As its own tokenizer's class, with the model in the box's, which the converter does not know."""
    with torch.device("meta"), transformers.modeling_utils.no_init_weights():
        settings = transformers.AutoConfig.from_pretrained(folder)
        architecture = type(transformers.AutoModelForCausalLM.from_config(settings)).__name__
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({"architectures": [architecture], **config}))
    model_class = get_model_class(architecture)
    model_class.set_vocab = lambda self: self._set_vocab_gpt2()
    model_class.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
    target = folder / "model.gguf"
    with torch.inference_mode():
        model_class(folder, gguf.LlamaFileType.ALL_F32, target, eager=True).write()
    return target


def main():
    models = {}
    with tempfile.TemporaryDirectory() as parent:
        labels = node("--input-type=module", "-e", WRITE, (ROOT / "test/model/family-checkpoints.ts").as_uri(), parent)
        for at, label in enumerate(labels):
            file = convert(Path(parent) / str(at))
            models[label] = node("interop/greedy-llama-cpp.mjs", file, GENERATED, json.dumps(TEXTS))
            print(label, [len(set(answer["tokens"])) for answer in models[label]])
    source = "convert_hf_to_gguf.py of llama.cpp v0.5.0, node-llama-cpp 3.22.1; interop/greedy-families.py"
    golden = {"source": source, "models": models}
    (ROOT / "test/golden/greedy-families.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()
