"""Writes test/golden/lm-eval/results.json: lm-evaluation-harness's own tasks on the rows there.

The model is a function of token ids that test/lm-eval-goldens.test.ts has too, so that only what a task
does with likelihoods and texts is compared.

Needs: pip install lm_eval==0.4.13
Run:   python interop/lm-eval-tasks.py
"""

import json
import re
from importlib.metadata import version
from pathlib import Path

import lm_eval
from lm_eval.api.model import TemplateLM
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks._yaml_loader import load_yaml

GOLDEN = Path(__file__).resolve().parent.parent / "test" / "golden" / "lm-eval"
TASKS = Path(lm_eval.__file__).parent / "tasks"
# What the model writes, chosen by its prompt.
TEXTS = [
    " 3 * 4 = 12\n#### 12",
    " 24 / 2 = 12\n#### 12.",
    " 20 - 8 is 12",
    " The answer is 12.",
    " #### $1,200.\n\nQuestion: what?",
    "#### -12 or so</s> #### 7",
    " It is 2.5, so #### 2.5",
    "",
]


def hashed(text):
    """FNV-1a of the UTF-8 bytes, 32 bits."""
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


class Model(TemplateLM):
    """Tokens are words with the space before them, or single other characters."""

    tokenizer_name = "words"
    eot_token_id = 0

    def tok_encode(self, string, add_special_tokens=None, **kwargs):
        return [hashed(token) % 50000 + 1 for token in re.findall(r" ?[^\W_]+|[\s\S]", string)]

    def _loglikelihood_tokens(self, requests, **kwargs):
        answers = []
        for _, context, continuation in requests:
            tokens = context + continuation
            total = 0.0
            greedy = True
            for at in range(len(context), len(tokens)):
                mixed = sum(tokens[:at]) % 1009 * (tokens[at] % 1013) + at
                total -= (mixed % 101 + 1) / 32
                greedy = greedy and mixed % 3 != 0
            answers.append((total, greedy))
        return answers

    def loglikelihood_rolling(self, requests, disable_tqdm=False):
        raise NotImplementedError

    def generate_until(self, requests, disable_tqdm=False):
        texts = []
        for request in requests:
            prompt, options = request.args
            text = TEXTS[hashed(prompt) % len(TEXTS)]
            for stop in options["until"]:
                text = text.split(stop)[0]
            texts.append(text)
        return texts


def task(path, name, files, **changes):
    config = dict(load_yaml(TASKS / path, resolve_func=True))
    kind = "csv" if name == "crows_pairs" else "json"
    data_files = {split: str(GOLDEN / file) for split, file in files.items()}
    unused = {"training_split": None, "validation_split": None, "test_split": "test", "process_docs": config.get("process_docs")}
    config.update(unused, task=name, dataset_path=kind, dataset_name=None, dataset_kwargs={"data_files": data_files}, **changes)
    return ConfigurableTask(config={key: value for key, value in config.items() if value is not None})


def main():
    metrics = [{"metric": name} for name in ["acc", "f1", "mcc"]]
    tasks = [
        task("blimp/_template_yaml", "blimp", {"test": "blimp.jsonl"}),
        task("hellaswag/hellaswag.yaml", "hellaswag", {"test": "hellaswag.jsonl"}),
        task("arc/arc_easy.yaml", "arc", {"test": "arc.jsonl"}),
        task("piqa/piqa.yaml", "piqa", {"test": "piqa.jsonl"}),
        task("lambada/lambada_openai.yaml", "lambada", {"test": "lambada.jsonl"}),
        task("glue/sst2/default.yaml", "sst2", {"test": "sst2.jsonl"}, metric_list=metrics),
        task(
            "gsm8k/gsm8k.yaml",
            "gsm8k",
            {"train": "gsm8k_train.jsonl", "test": "gsm8k.jsonl"},
            fewshot_config={"sampler": "first_n"},
        ),
        task("crows_pairs/crows_pairs_english.yaml", "crows_pairs", {"test": "crows_pairs.csv"}),
    ]
    report = lm_eval.simple_evaluate(model=Model(), tasks=tasks, log_samples=True, bootstrap_iters=1000)
    golden = {
        "versions": f"lm_eval {version('lm_eval')}",
        "texts": TEXTS,
        "results": report["results"],
        "higher_is_better": report["higher_is_better"],
        "n-shot": report["n-shot"],
        "samples": {name: [sample(row) for row in rows] for name, rows in report["samples"].items()},
    }
    (GOLDEN / "results.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


def sample(row):
    """What was asked about a row and what came back; the options of generation are the task's."""
    generates = row["filter"] != "none"
    asked = [argument[:1] if generates else argument for argument in row["arguments"]]
    return {"doc_id": row["doc_id"], "filter": row["filter"], "arguments": asked, "resps": row["resps"]}


main()
