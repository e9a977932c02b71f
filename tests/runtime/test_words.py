"""Labels of words to entities: chains, breaks, and labels of other forms."""

from __future__ import annotations

import pytest
from seqeval.metrics.sequence_labeling import get_entities

from edgewright_runtime.steps.text.words import _groups


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
    found = list(_groups({index: (tag, 1.0) for index, tag in enumerate(words)}))
    assert found == [(kind, first, last) for kind, first, last in get_entities(words)]


def test_other_labels_are_one_for_each_word() -> None:
    tagged = {0: ("NOUN", 1.0), 1: ("NOUN", 1.0), 2: ("O", 1.0)}
    assert list(_groups(tagged)) == [("NOUN", 0, 0), ("NOUN", 1, 1)]


def test_a_word_without_a_label_ends_a_chain() -> None:
    assert list(_groups({0: ("B-A", 1.0), 2: ("I-A", 1.0)})) == [("A", 0, 0), ("A", 2, 2)]
