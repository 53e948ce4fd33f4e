"""The pre_tokenizer sections that model families publish in tokenizer.json, by llama.cpp's name."""

GPT2 = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
DIGITS = {"type": "Digits", "individual_digits": True}


def sequence(*members):
    return {"type": "Sequence", "pretokenizers": list(members)}


def split(regex, behavior="Isolated"):
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": False}


def cl100k(digits):
    return (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|" + digits
        + r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


def o200k(ending, digits):
    upper, lower = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
    return (
        rf"[^\r\n\p{{L}}\p{{N}}]?{upper}*{lower}+{ending}|[^\r\n\p{{L}}\p{{N}}]?{upper}+{lower}*{ending}"
        rf"|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


ENDING = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
DEEPSEEK = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
    r"""| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
)
DEEPSEEK_LLM_LETTERS = r"\s?" + (
    "[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-"
    "\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-"
    "\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf"
    "\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-"
    "\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc"
    "\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115"
    "\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e"
    "\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-"
    "\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a"
    "\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-"
    "\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943]+"
)
OLD_CJK = "[一-龥ࠀ-一가-퟿]+"
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"

# name -> (pre_tokenizer, ignore_merges, clean_up_tokenization_spaces)
PUBLISHED = {
    "gpt-2": (GPT2, False, True),
    "llama-bpe": (sequence(split(cl100k(r"\p{N}{1,3}")), BYTES), True, True),
    "dbrx": (sequence(split(cl100k(r"\p{N}{1,3}")), BYTES), False, True),
    "qwen2": (sequence(split(cl100k(r"\p{N}")), BYTES), False, False),
    "qwen35": (
        sequence(
            split(
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
                r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
            ),
            BYTES,
        ),
        False,
        False,
    ),
    "smollm": (sequence(DIGITS, GPT2), False, False),
    "starcoder": (sequence(DIGITS, GPT2), False, True),
    "deepseek-v3": (
        sequence(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK), BYTES),
        False,
        False,
    ),
    "deepseek-coder": (
        sequence(split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(OLD_CJK), DIGITS, BYTES),
        False,
        False,
    ),
    "deepseek-llm": (
        sequence(
            split("[\r\n]"),
            split(DEEPSEEK_LLM_LETTERS),
            split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"),
            split(r"\s+$"),
            split(OLD_CJK),
            DIGITS,
            BYTES,
        ),
        False,
        False,
    ),
    "falcon": (
        sequence({"type": "Punctuation", "behavior": "Contiguous"}, GPT2, split("[0-9][0-9][0-9]")),
        False,
        True,
    ),
    "tekken": (sequence(split(o200k("", r"\p{N}")), BYTES), True, False),
    "gpt-4o": (sequence(split(o200k(ENDING, r"\p{N}{1,3}")), BYTES), False, False),
    "minicpm5": (sequence(split(r"\p{N}{1,3}"), split(cl100k(r"\p{N}+")), BYTES), True, True),
    "seed-coder": (
        sequence(
            split(
                "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}"
                "| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
            ),
            BYTES,
        ),
        False,
        False,
    ),
    "bailingmoe": (
        sequence(
            split(
                r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*"
                r"|\s*[\r\n]|\s+(?!\S)|\s+"
            ),
            BYTES,
        ),
        False,
        False,
    ),
    "exaone-moe": (
        sequence(
            split(
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"
                r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"
            ),
            BYTES,
        ),
        False,
        True,
    ),
    "ufakzeka": (
        sequence(
            split(
                r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
            ),
            BYTES,
        ),
        False,
        False,
    ),
    "superbpe": (sequence(split(r"\p{N}+"), split(r"(?=(\d{3})+(?!\d))"), BYTES), False, False),
    "bloom": (sequence(split(BLOOM), BYTES), False, True),
    "poro-chat": (sequence(split(BLOOM), BYTES), False, False),
    "viking": (sequence(split(BLOOM), DIGITS, BYTES), False, False),
}
