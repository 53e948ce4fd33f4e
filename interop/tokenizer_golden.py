"""Writes test/golden/tokenizer: small tokenizers trained here, with what their own libraries answer.

Run with Python 3.10 or later: pip install tokenizers==0.23.3 sentencepiece==0.2.3 jinja2==3.1.6
    python interop/tokenizer_golden.py
"""

import base64
import io
import json
from pathlib import Path

import sentencepiece
import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from tokenizer_pre import PUBLISHED
from tokenizer_texts import CHECKED, TRAINING

OUT = Path(__file__).parent.parent / "test/golden/tokenizer"
VERSIONS = f"tokenizers {tokenizers.__version__}, sentencepiece {sentencepiece.__version__}"
LINES = [line + "\n" for line in TRAINING.split("\n")]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def write(name, value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # one line per entry of the top level, so that a diff says what changed
    (OUT / name).write_text(text.replace('],[', '],\n[') + "\n")


def byte_decoder():
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in visible]
    pairs = [(chr(b), b) for b in visible] + [(chr(256 + i), b) for i, b in enumerate(hidden)]
    return dict(pairs)


def byte_level(pre_tokenizer=None, vocab_size=900):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


def pieces_of(pre_tokenizer, text, decode):
    blank = Tokenizer(models.BPE())
    state = json.loads(blank.to_str())
    state["pre_tokenizer"] = pre_tokenizer
    tokenizer = Tokenizer.from_str(json.dumps(state))
    pieces = [piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)]
    return [bytes(decode[c] for c in piece).decode() for piece in pieces]


def pre_tokenizer_golden():
    decode = byte_decoder()
    families = [
        {
            "name": name,
            "preTokenizer": pre,
            "ignoreMerges": ignore_merges,
            "cleansSpaces": cleans,
            "pieces": [pieces_of(pre, text, decode) for text in CHECKED],
        }
        for name, (pre, ignore_merges, cleans) in PUBLISHED.items()
    ]
    return {"source": VERSIONS, "texts": CHECKED, "families": families}


REGEX_CASES = [
    (r"\s+$", "a \n"), (r"\s+$", "a \n b"), ("^", "a\nb\n"), (r"\s", "a\u0085b\ufeffc\u200bd\u3000e\x1c f"),
    (r"\w+", "a\u0301_b\u2460-"), ("a{2}+", "aaaaa a"), ("a{2}?", "aaaa"), (r"\h", "1fg"),
    ("(?i:'s)", "'ſ 'S 's"), ("a(?i)b|c", "AB aB C"), ("[^(\\s|[.,!?])]+", " Hello (w|y), ok."),
    ("a{,2}", "aaaa"), ("x*", "aax"), (r"(?=(\d{3})+(?!\d))", "1234567"), ("[[:alpha:]]+", "aé1"),
    (r"\p{Han}+", "a漢b"), (r"\p{^L}+", "a12b"), (r"\P{L}+", "a12b"), ("(?<=a)b", "ab bb"),
    ("(?<!a)b", "ab bb"), (r"\bfoo\b", "foo food"), ("[a-c&&b-d]+", "abcd"), ("(?m).+", "a\nb"),
    (".+", "a\nb\rc"), ("[]a]", "]a"), (r"\d+", "1٣²"), ("a++b|a", "aab"), ("a++a|b", "aab"),
    ("(?>a|ab)c|b", "abc"), ("a*?b", "aaab"), (r"\x41|\u0042|\x{43}", "ABC"), ("a**", "aab"),
    ("[^a-y]", "xyz"), ("x{2,}", "xxxx x"), ("x{2,3}?", "xxxxx"), ("a{x", "a{x"), ("(?#c)a(b)?", "ab a"),
    (r"\A\w|\w\z|\w\Z", "abc\n"), ("(?<n>a)b", "ab"), ("[[^a]b]+", "abc"), ("(a?)*b", "aab"),
    (r"[\w-]+", "a-b c"), ("a|", "ba"), ("(?:a*?)+", "aabab"), ("(?:a*?)*b", "aabab"),
    ("(?:a|.*?)+", "aabab"), ("(?:b??a?)*", "aabab"), ("(?:a??){2,3}b", "aabab"),
]


def regex_golden():
    cases = []
    for regex, text in REGEX_CASES:
        split = pre_tokenizers.Split(Regex(regex), "isolated")
        cases.append([regex, text, [piece for piece, _ in split.pre_tokenize_str(text)]])
    return {"source": VERSIONS, "cases": cases}


def train_sentencepiece(**options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_writer=model, minloglevel=2, character_coverage=0.98, **options
    )
    return model.getvalue()


def sentencepiece_golden(model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    ids = [processor.encode(text) for text in CHECKED]
    return {"source": VERSIONS, "texts": CHECKED, "ids": ids, "model": base64.b64encode(model).decode()}


def extract_merges(model):
    """All splits of every piece into two pieces, best piece first, as transformers' converter does."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    size = processor.get_piece_size()
    vocabulary = {processor.id_to_piece(i): i for i in range(size)}
    merges = []
    for piece, index in vocabulary.items():
        local = []
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in vocabulary and right in vocabulary:
                local.append((left, right, processor.get_score(index)))
        merges.extend(sorted(local, key=lambda m: (vocabulary[m[0]], vocabulary[m[1]])))
    merges.sort(key=lambda m: m[2], reverse=True)
    return vocabulary, [(left, right) for left, right, _ in merges]


def llama_style(model):
    """A tokenizer.json of the kind that Llama 2, TinyLlama and Mistral publish."""
    vocabulary, merges = extract_merges(model)
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    return tokenizer


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=700, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def with_ids(tokenizer):
    return {
        "source": VERSIONS,
        "texts": CHECKED,
        "ids": [tokenizer.encode(text, add_special_tokens=False).ids for text in CHECKED],
        "tokenizer": json.loads(tokenizer.to_str()),
    }


def chat_golden():
    from jinja2 import __version__
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # as transformers 4.57 sets it up
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
    cases = []
    for template in TEMPLATES:
        for prompt in (False, True):
            options = {"add_generation_prompt": prompt, "tools": TOOLS if "tools" in template else None}
            rendered = environment.from_string(template).render(
                messages=MESSAGES, bos_token="<s>", eos_token="</s>", documents=None, **options
            )
            cases.append({"template": template, "addGenerationPrompt": prompt, "rendered": rendered})
    return {"source": f"jinja2 {__version__}", "messages": MESSAGES, "tools": TOOLS, "cases": cases}


MESSAGES = [
    {"role": "system", "content": "Be brief. 简短 🚀 \"quoted\" <b>"},
    {"role": "user", "content": "What is 1+1?\n"},
    {"role": "assistant", "content": "2"},
    {"role": "user", "content": " And \\ 2+2? "},
]
TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"a": {"type": "number"}}}}]
TEMPLATES = [
    "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "{{ bos_token }}{% for m in messages if m.role != 'system' %}\n    {%- if loop.first %}\n[INST] <<SYS>>\n"
    "{{ messages[0].content | trim }}\n<</SYS>>\n    {% endif %}\n{% if m.role == 'user' %}\n{{ m.content | trim }} "
    "[/INST]{% else %}\n {{ m.content }} {{ eos_token }}{% endif %}{% endfor %}",
    "{%- set ns = namespace(users=0) -%}{%- if tools %}\n{{ tools | tojson(indent=2) }}\n{% endif %}"
    "{%- for m in messages -%}{%- if m.role == 'user' %}{% set ns.users = ns.users + 1 %}{% endif -%}"
    "{{ loop.index0 ~ ':' ~ m.role | upper }}={{ m.content[:9] | tojson }};{%- endfor -%}{{ ns.users }}",
    "{% macro turn(m) %}<{{ m.role }}>{{ m.content.strip() }}</{{ m.role }}>{% endmacro %}"
    "{% for i in range(messages | length) %}{{ turn(messages[i]) }}{% if not loop.last %},{% endif %}{% endfor %}",
]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    write("pre-tokenizers.json", pre_tokenizer_golden())
    write("regex.json", regex_golden())
    write("unsplit-bpe.json", with_ids(byte_level()))
    write("gpt2-bpe.json", with_ids(byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), 700)))
    common = {"vocab_size": 700, "normalization_rule_name": "identity", "num_threads": 1}
    bpe = train_sentencepiece(
        model_type="bpe", byte_fallback=True, remove_extra_whitespaces=False, user_defined_symbols=["<sep>"], **common
    )
    unigram = train_sentencepiece(model_type="unigram", hard_vocab_limit=False, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, **common)
    write("spm-bpe.json", sentencepiece_golden(bpe))
    write("spm-unigram.json", sentencepiece_golden(unigram))
    write("llama-bpe-json.json", with_ids(llama_style(bpe)))
    write("word-piece.json", with_ids(word_piece()))
    write("chat-templates.json", chat_golden())


main()
