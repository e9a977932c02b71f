"""Words and boxes of documents, and answers among them: what the steps take, give and refuse."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgewright_runtime import SampleError
from edgewright_runtime.steps.graph.arrays import RepeatRows
from edgewright_runtime.steps.text.document import FindWords, boxes_of, words_of

WORDS = ["total", "twelve", "fifty"]


def window(sequences: list[int | None], words: list[int | None], ids: list[int]) -> Any:
    """What stands for an encoding of the library `tokenizers`: its fields alone."""
    return SimpleNamespace(sequence_ids=sequences, word_ids=words, ids=ids)


# [CLS] question [SEP] total twel ##ve fifty [SEP]
WINDOW = window([None, 0, None, 1, 1, 1, 1, None], [None, 0, None, 0, 1, 1, 2, None], [2, 7, 3, 8, 9, 10, 11, 3])


def logits(**places: float) -> Any:
    found = np.zeros((1, 12), np.float32)
    for name, value in places.items():
        found[0, int(name[1:])] = value
    return found


def find(start: Any, end: Any, *, longest: int = 15, begin_id: int | None = 2) -> Any:
    step = FindWords(start="s", end="e", longest=longest, begin_id=begin_id)
    return step({"s": start, "e": end, "encodings": [WINDOW] * len(start), "words": WORDS})["answer"]


def test_an_answer_is_whole_words() -> None:
    # From the second half of a word to the next one.
    found = find(logits(_5=9), logits(_6=9))
    assert found["text"] == "twelve fifty"
    assert found["words"] == [1, 2]
    # The beginning shares the probability; places of a picture (8 to 11) do not.
    share = np.exp(9) / (np.exp(9) + 4)
    assert found["score"] == pytest.approx(share**2)
    assert find(logits(_5=9), logits(_6=9), begin_id=None)["score"] > found["score"]


def test_what_cannot_be_an_answer() -> None:
    # The question, special tokens and a picture have the largest logits; the end comes before the start.
    found = find(logits(_0=3, _1=9, _2=9, _5=2, _9=9), logits(_3=1, _6=0.5, _10=9))
    assert found["words"] == [1, 2]
    assert find(logits(_3=9), logits(_6=9), longest=2)["words"] != [0, 2]
    assert find(np.full((1, 12), np.nan), np.zeros((1, 12))) == {"text": "", "score": 0.0, "words": []}


def test_the_best_of_several_windows() -> None:
    start, end = (np.concatenate([logits(_3=2), logits(_4=9)]), np.concatenate([logits(_3=2), logits(_5=9)]))
    assert find(start, end)["words"] == [1, 1]


@pytest.mark.parametrize(
    ("boxes", "says"),
    [
        ([[1, 2, 3]], "a list of four numbers"),
        ([], "a list of four numbers"),
        ("boxes", "a list of four numbers"),
        ([[0, 0, 10, 10], [0, 0, 10, 1001]], "The box 2 is .* from 0 to 1000"),
        ([[20, 0, 10, 10]], "The box 1 is"),
        ([[0, 0, float("nan"), 10]], "The box 1 is"),
    ],
)
def test_boxes_that_are_not(boxes: Any, says: str) -> None:
    with pytest.raises(SampleError, match=says):
        boxes_of(boxes)


def test_words_and_boxes_that_are() -> None:
    assert boxes_of([[0, 0.9, 1000, 1000]]).tolist() == [[0, 0, 1000, 1000]]
    assert words_of(("a", ""), 10) == ["a", ""]
    for words in ([], "text", [1], None):
        with pytest.raises(SampleError, match="the words of a document"):
            words_of(words, 10)
    with pytest.raises(SampleError, match="more than 3 characters together"):
        words_of(["ab", "cd"], 3)


def test_a_picture_for_each_window() -> None:
    step = RepeatRows(array="pixels", like="ids")
    assert step({"pixels": np.ones((1, 2, 2)), "ids": np.zeros((3, 5))})["pixels"].shape == (3, 2, 2)
