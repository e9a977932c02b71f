"""Entity F1 is seqeval's, and its drop is paired by text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from seqeval.metrics import f1_score

from edgewright_benchmarks.accuracy._corpus import Sums
from edgewright_benchmarks.accuracy.entities import entities_of_tags, f1_sums
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score

TASK = find_task("token-classification")
TAGS = ("O", "B-ROOM", "I-ROOM", "B-TIME", "I-TIME")


def texts(count: int, seed: int) -> list[list[str]]:
    random = np.random.default_rng(seed)
    return [[TAGS[index] for index in random.integers(0, len(TAGS), random.integers(1, 9))] for _ in range(count)]


def spoiled(tags: list[list[str]], share: float, seed: int) -> list[list[str]]:
    random = np.random.default_rng(seed)
    return [[TAGS[random.integers(5)] if random.random() < share else tag for tag in text] for text in tags]


def outputs(tags: list[list[str]]) -> list[dict[str, Any]]:
    made = []
    for text in tags:
        answer = [{"label": kind, "words": [first, last]} for kind, first, last in sorted(entities_of_tags(text))]
        made.append({"logits": np.zeros(1), ANSWER: pack_answer(answer)})
    return made


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_it_is_seqeval_s(share: float) -> None:
    truth = texts(200, 1)
    found = spoiled(truth, share, 2)
    baseline = outputs(truth)
    accuracy = score(TASK.labelled, outputs(found), [tuple(tags) for tags in truth], baseline)
    value = accuracy.metrics["entity_f1"]
    assert value.value == pytest.approx(f1_score(truth, found))
    assert value.low <= value.value <= value.high
    # The baseline is right throughout here, so what is lost is what is missing.
    assert accuracy.drop.value == pytest.approx(1 - value.value)
    assert accuracy.drop.low <= accuracy.drop.value <= accuracy.drop.high
    agreement = score(TASK.unlabelled, outputs(found), None, baseline)
    assert agreement.metrics["agreement"].value == pytest.approx(value.value)


def test_equal_answers_may_still_lose_something() -> None:
    truth = texts(200, 1)
    found = outputs(spoiled(truth, 0.2, 3))
    drop = score(TASK.labelled, list(found), truth, found).drop
    assert drop.value == 0
    assert 0 < drop.high < 0.1
    assert score(TASK.labelled, found, truth, found).drop.high == 0


def test_the_interval_holds_what_it_says() -> None:
    """Of many draws of 150 texts, about 95 % of the intervals hold the F1 of all texts."""
    truth = texts(20_000, 4)
    found = spoiled(truth, 0.3, 5)
    whole = f1_sums([entities_of_tags(text) for text in found], [entities_of_tags(text) for text in truth])
    random = np.random.default_rng(6)
    hits = 0
    for _ in range(300):
        part = random.integers(0, len(truth), 150)
        drawn = Sums(whole.numerator[part], whole.denominator[part])
        scores = drawn.scores()
        assert scores.mean() == pytest.approx(drawn.ratio)
        width = 1.96 * scores.std(ddof=1) / np.sqrt(150)
        hits += abs(drawn.ratio - whole.ratio) <= width
    assert 0.91 < hits / 300 < 0.98


def test_texts_without_entities() -> None:
    nothing = outputs([["O", "O"]] * 3)
    accuracy = score(TASK.labelled, list(nothing), [("O", "O")] * 3, nothing)
    assert accuracy.metrics["entity_f1"].value == 1
    assert accuracy.drop.value == 0


def test_tags_that_are_no_names() -> None:
    assert entities_of_tags(["NOUN", "VERB"]) == {("NOUN", 0, 0), ("VERB", 1, 1)}


def test_outputs_without_answers() -> None:
    bare = [{"logits": np.zeros(1)}]
    with pytest.raises(InputError, match="This engine gave only the outputs of its graph"):
        score(TASK.labelled, bare, [("O",)], bare)
