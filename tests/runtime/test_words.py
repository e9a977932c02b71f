"""Labels of words to entities: chains, breaks, labels of other forms, and scripts that are written without spaces."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tokenizers
from seqeval.metrics.sequence_labeling import get_entities
from tokenizers import models, normalizers, pre_tokenizers

from edgewright_runtime.answer_types import Entity
from edgewright_runtime.steps.text.words import TagWords, _groups, _Tagged, words_of

LABELS = ("O", "B-ROOM", "I-ROOM", "E-ROOM", "S-ROOM", "B-THING", "I-THING")


def grouped(tags: Mapping[int, str]) -> list[tuple[str, int, int]]:
    found = _groups([_Tagged(tag, 1.0, word, word) for word, tag in tags.items()])
    return [(kind, parts[0].first, parts[-1].last) for kind, parts in found]


@pytest.mark.parametrize(
    "tags",
    [
        "O B-A I-A O",
        "B-A B-A I-A",
        "I-A I-A B-B",
        "B-A I-B I-B",
        "B-A I-A E-A O S-B S-B",
        "B-A O I-A",
        "O O",
        "B-PER-X I-PER-X",
    ],
)
def test_chains_are_seqeval_s(tags: str) -> None:
    words = tags.split()
    assert grouped(dict(enumerate(words))) == [(kind, first, last) for kind, first, last in get_entities(words)]


def test_other_labels_are_one_for_each_word() -> None:
    assert grouped({0: "NOUN", 1: "NOUN", 2: "O"}) == [("NOUN", 0, 0), ("NOUN", 1, 1)]


def test_a_word_without_a_label_ends_a_chain() -> None:
    assert grouped({0: "B-A", 2: "I-A"}) == [("A", 0, 0), ("A", 2, 2)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("打开客厅的灯", "打 开 客 厅 的 灯"),
        ("打开hall，关灯。", "打 开 hall ， 关 灯 。"),
        ("把空调（AC）调到25.5度！", "把 空 调 （ AC ） 调 到 25.5 度 ！"),
        ("“客厅”的灯、３０％", "“ 客 厅 ” 的 灯 、 ３０ ％"),
        ("客厅\u3000的灯", "客 厅 的 灯"),
        ("ライトをｵﾝ", "ラ イ ト を ｵ ﾝ"),
        ("don’t stop, it’s on…", "don’t stop, it’s on…"),
        ("불을 켜 줘", "불을 켜 줘"),
    ],
)
def test_words(text: str, words: str) -> None:
    assert [text[start:end] for start, end in words_of(text)] == words.split()


def entities(tokenizer: tokenizers.Tokenizer, text: str, labels: Mapping[str, str]) -> list[Entity]:
    """What is found where a tagger gives each token the label that is said of it, and O to all others."""
    encoding = tokenizer.encode(text)
    logits = np.zeros((1, len(encoding.ids), len(LABELS)), np.float32)
    for place, token in enumerate(encoding.tokens):
        logits[0, place, LABELS.index(labels.get(token, "O"))] = 20
    labels_only: Any = SimpleNamespace(manifest=SimpleNamespace(labels=LABELS))
    step = TagWords(labels_only, logits="logits")
    return step({"text": text, "encoding": encoding, "padding_before": 0, "logits": logits})["entities"]


def characters(text: str) -> tokenizers.Tokenizer:
    """A tokenizer as that of BERT for Chinese, with the characters of a text."""
    vocabulary = dict.fromkeys(["[UNK]", "hall", "25", *text])
    made = tokenizers.Tokenizer(
        models.WordPiece({token: index for index, token in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


def test_entities_of_a_text_without_spaces_stand_where_they_say() -> None:
    text = "请打开客厅（Hall）的灯，调到25度！"
    labels = {"客": "B-ROOM", "厅": "I-ROOM", "hall": "S-ROOM", "灯": "B-THING", "25": "B-THING", "度": "I-THING"}
    found = entities(characters(text), text, labels)
    assert [(one["label"], one["text"], one["words"]) for one in found] == [
        ("ROOM", "客厅", [3, 4]),
        ("ROOM", "Hall", [6, 6]),
        ("THING", "灯", [9, 9]),
        ("THING", "25度", [13, 14]),
    ]
    assert all(text[one["start"] : one["end"]] == one["text"] for one in found)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"客厅": "B-ROOM"}, [("ROOM", "客厅", [3, 4])]),
        ({"大": "B-ROOM", "客厅": "I-ROOM"}, [("ROOM", "大客厅", [2, 4])]),
        ({"大": "B-ROOM", "客厅": "E-ROOM"}, [("ROOM", "大客厅", [2, 4])]),
        ({"客厅": "S-ROOM", "的": "I-ROOM"}, [("ROOM", "客厅", [3, 4]), ("ROOM", "的", [5, 5])]),
        ({"客厅": "B-ROOM", "的": "I-ROOM"}, [("ROOM", "客厅的", [3, 5])]),
        ({"▁打开": "B-THING", "灯": "B-THING"}, [("THING", "打开", [0, 1]), ("THING", "灯", [6, 6])]),
    ],
)
def test_a_token_of_several_letters_gives_them_one_label(labels: dict[str, str], expected: list[object]) -> None:
    pieces = [("<unk>", 0.0), *((piece, -1.0) for piece in ("▁打开", "大", "客厅", "的", "灯"))]
    made = tokenizers.Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    found = entities(made, "打开大客厅的灯", labels)
    assert [(one["label"], one["text"], one["words"]) for one in found] == expected
    assert all(one["score"] == pytest.approx(1, abs=1e-6) for one in found)
