"""The score of generators: shares of right next tokens, perplexity, and a drop that is paired by text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgewright_benchmarks.accuracy.next_token import NextToken
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score


def text(there: list[int], best: list[int], probability: float = 0.5) -> dict[str, Any]:
    """What a worker gives for a text whose tokens all have `probability`."""
    logs = np.full(len(there), np.log(probability), dtype=np.float32)
    return {
        "log_probability": logs,
        "best_log_probability": logs,
        ANSWER: pack_answer({"there": there, "best": best}),
    }


def test_a_baseline_has_the_figures_of_its_texts_and_no_drop() -> None:
    outputs = [text([1, 2, 3, 4], [1, 2, 3, 9]), text([5, 6], [5, 9], probability=0.25)]
    found = score(NextToken("accuracy"), outputs, None, outputs)
    # The mean over texts, each weighing the same, whatever its length.
    assert found.metrics["accuracy"].value == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found.metrics["token_agreement"].value == 1
    assert found.metrics["perplexity"].value == pytest.approx(np.exp((4 * np.log(2) + 2 * np.log(4)) / 6))
    assert found.drop.value == found.drop.high == 0


def test_a_loss_in_some_texts_is_a_drop_with_a_bound() -> None:
    same = [text([1, 2], [1, 2]) for _ in range(300)]
    worse = [text([1, 2], [1, 9]) if index < 6 else one for index, one in enumerate(same)]
    found = score(NextToken("accuracy"), worse, None, same, max_drop=0.01)
    assert found.drop.value == pytest.approx(6 * 0.5 / 300)
    assert found.drop.high > found.drop.value
    assert found.metrics["token_agreement"].value == pytest.approx(1 - 0.01)
    swapped = score(NextToken("accuracy"), same, None, worse)
    assert swapped.drop.value == pytest.approx(-0.01)


def test_agreement_asks_the_baseline_and_not_the_text() -> None:
    baseline = [text([1, 2], [7, 8]) for _ in range(10)]
    other = [text([1, 2], [1, 2]) for _ in range(10)]
    assert score(NextToken("agreement"), baseline, None, baseline).metrics["agreement"].value == 1
    found = score(NextToken("agreement"), other, None, baseline)
    assert found.metrics["agreement"].value == 0
    assert found.drop.value == 1


def test_a_text_without_finite_answers_counts_as_wrong() -> None:
    same = [text([1, 2], [1, 2]) for _ in range(10)]
    broken = [one | {"log_probability": np.full(2, np.nan)} for one in same]
    found = score(NextToken("accuracy"), broken, None, same)
    assert found.metrics["accuracy"].value == 0
    assert found.drop.value == 1
    assert np.isfinite(found.metrics["perplexity"].value)


def test_texts_of_one_token_are_left_out() -> None:
    outputs = [text([], []), text([1], [1])]
    assert score(NextToken("accuracy"), outputs, None, outputs).samples == 1
    with pytest.raises(InputError, match="next token"):
        score(NextToken("accuracy"), outputs[:1], None, outputs[:1])
