"""Recall of pairs, against scikit-learn where that counts the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score

from edgewright_benchmarks.accuracy.retrieval import Retrieval
from edgewright_targets import InputError
from scoring import score

SCORER = Retrieval("image", "text")


def pairs(count: int = 40, noise: float = 0.9) -> tuple[list[dict[str, Any]], list[str]]:
    random = np.random.default_rng(3)
    texts = random.normal(size=(count, 8))
    images = texts + noise * random.normal(size=texts.shape)
    return [{"image": i[None], "text": t[None]} for i, t in zip(images, texts, strict=True)], [
        f"text {index}" for index in range(count)
    ]


def test_recall_is_scikit_learn_s() -> None:
    outputs, truth = pairs()
    found = score(SCORER, outputs, truth, outputs)
    images, texts = (np.concatenate([output[name] for output in outputs]) for name in ("image", "text"))
    for side, scores in (("image_to_text", images @ texts.T), ("text_to_image", texts @ images.T)):
        for k in (1, 5):
            expected = top_k_accuracy_score(np.arange(len(truth)), scores, k=k, labels=np.arange(len(truth)))
            assert found.metrics[f"{side}_recall_at_{k}"].value == pytest.approx(expected)
            assert 0.1 < expected < 1
    recalls = [metric.value for name, metric in found.metrics.items() if name != "mean_recall"]
    assert found.metrics["mean_recall"].value == pytest.approx(np.mean(recalls))
    assert found.drop.value == 0


def test_equal_texts_are_one() -> None:
    outputs, truth = pairs(20)
    doubled = [{**output, "image": -output["image"]} for output in outputs]
    found = score(SCORER, [*outputs, *doubled], [*truth, *truth], [*outputs, *doubled])
    # The other image of a text points away from it, and the text is found by the first all the same.
    alone = score(SCORER, outputs, truth, outputs)
    assert found.metrics["text_to_image_recall_at_5"].value <= alone.metrics["text_to_image_recall_at_5"].value
    assert found.metrics["image_to_text_recall_at_1"].value <= alone.metrics["image_to_text_recall_at_1"].value
    assert found.metrics["text_to_image_recall_at_1"].value > 0


def test_a_worse_engine_loses_and_vectors_without_meaning_find_nothing() -> None:
    outputs, truth = pairs()
    worse, _ = pairs(noise=2.5)
    drop = score(SCORER, worse, truth, outputs, max_drop=0.01)
    assert drop.drop.value > 0.1
    assert drop.drop.low < drop.drop.value < drop.drop.high
    # It loses more than the budget on these samples: no number of samples would show that it does not.
    assert drop.samples_needed is None
    for nothing in (np.nan, 0.0):
        blank = [{"image": output["image"] * nothing, "text": output["text"]} for output in outputs]
        assert score(SCORER, blank, truth, outputs).metrics["mean_recall"].value == 0


def test_a_loss_within_the_budget_is_shown_by_more_samples_than_these() -> None:
    outputs, truth = pairs()
    slightly_worse, _ = pairs(noise=0.95)
    found = score(SCORER, slightly_worse, truth, outputs, max_drop=0.05)
    assert 0 < found.drop.value < 0.05 < found.drop.high
    assert found.samples_needed is not None
    assert found.samples_needed > len(truth)


def test_what_cannot_be_scored_is_refused() -> None:
    outputs, truth = pairs(3)
    with pytest.raises(InputError, match="retrieval cannot be scored"):
        score(SCORER, outputs, ["a", "a", "a"], outputs)
    with pytest.raises(InputError, match="Expected the text of each pair"):
        score(SCORER, outputs, None, outputs)
    with pytest.raises(InputError, match="no 'image'"):
        score(SCORER, [{"text": np.ones((1, 2))}] * 3, truth, outputs)
    assert "image_to_text_recall_at_5" not in score(SCORER, outputs, truth, outputs).metrics
