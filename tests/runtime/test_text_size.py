"""Tokenizers that make a short text long, or fail: known before anything is encoded, and said."""

import json
from typing import Any

import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, processors

from edgewright_runtime.errors import PackageError, SampleError
from edgewright_runtime.steps.text.length import TEXT_LIMIT, encode, text_limit


def tokenizer(*parts: Any) -> Tokenizer:
    made = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    if parts:
        made.normalizer = normalizers.Sequence(list(parts))
    return made


BOMB = normalizers.Replace("t", "t" * 1000)


@pytest.mark.parametrize(
    "parts",
    [
        (BOMB,) * 4,
        (BOMB, BOMB),
        (normalizers.Sequence([BOMB, normalizers.Lowercase()]), BOMB),
        (normalizers.Replace(Regex(""), "x" * 10_000),),
        (normalizers.Replace(Regex("a*"), "x" * 10_000),),
        (normalizers.Replace("", "x" * 10_000),),
    ],
)
def test_a_normalizer_without_measure_is_refused(parts: tuple[Any, ...]) -> None:
    with pytest.raises(PackageError, match=r"can make a text .* times as long"):
        text_limit(tokenizer(*parts), "forged.ortpackage")


@pytest.mark.parametrize(
    ("parts", "limit"),
    [
        ((), TEXT_LIMIT),
        ((normalizers.NFKC(), normalizers.Lowercase(), normalizers.Strip()), TEXT_LIMIT),
        # As the tokenizers of Llama and Gemma have it.
        ((normalizers.Replace(" ", "\u2581"),), TEXT_LIMIT),
        ((normalizers.Replace("t", "tt"), normalizers.Replace("a", "aaaa")), TEXT_LIMIT // 8),
    ],
)
def test_ordinary_normalizers_take_long_texts(parts: tuple[Any, ...], limit: int) -> None:
    assert text_limit(tokenizer(*parts), "p") == limit


def test_a_text_above_the_limit_is_refused_and_one_below_is_not() -> None:
    made = tokenizer()
    assert len(encode(made, 5, "a a a"))
    with pytest.raises(SampleError, match="has 6 characters; the model takes at most 5"):
        encode(made, 5, "a a a ")
    with pytest.raises(SampleError, match="has 6 characters"):
        encode(made, 5, "a", "a a a ")


def test_a_panic_of_the_library_is_an_error_of_the_package() -> None:
    made = tokenizer()
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 5)])
    state = json.loads(made.to_str())
    state["post_processor"]["special_tokens"] = {}
    with pytest.raises(PackageError, match="The tokenizer of the package fails"):
        encode(Tokenizer.from_str(json.dumps(state)), 100, "a")


def test_half_characters_are_not_unicode() -> None:
    with pytest.raises(SampleError, match="not valid Unicode"):
        encode(tokenizer(), 100, "a\udcff")
