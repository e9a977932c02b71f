"""F1 and AUC of keywords are scikit-learn's over all pairs of a recording and a keyword."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from edgewright_benchmarks.accuracy.keywords import KeywordAgreement, LabelledKeywords
from edgewright_benchmarks.truth.ground_truth import KEYWORDS
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score

_LABELS = ("go", "stop")


def _outputs(scores: Any) -> list[Any]:
    found = []
    for row in scores:
        answer = [
            {"label": label, "score": float(score), "detections": [{"time": 1.0, "score": 0.5}] * int(score >= 0.5)}
            for label, score in sorted(zip(_LABELS, row, strict=True), key=lambda entry: -entry[1])
        ]
        found.append({ANSWER: pack_answer(answer)})
    return found


def test_metrics_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(4)
    spoken = random.random((60, 2)) < 0.4
    scores, others = np.clip(spoken * 0.4 + random.random((2, 60, 2)) * 0.6, 0, 1)
    truth = [tuple(label for label, there in zip(_LABELS, row, strict=True) if there) for row in spoken]
    baseline, engine = _outputs(scores), _outputs(others)
    scorer = LabelledKeywords()
    found = score(scorer, engine, truth, baseline, max_drop=0.01)
    assert found.metrics["f1"].value == pytest.approx(f1_score(spoken.ravel(), (others >= 0.5).ravel()))
    assert found.metrics["auc"].value == pytest.approx(roc_auc_score(spoken.ravel(), others.ravel()))
    expected = f1_score(spoken.ravel(), (scores >= 0.5).ravel()) - found.metrics["f1"].value
    assert found.drop.value == pytest.approx(expected)
    assert score(scorer, baseline, truth, baseline).drop.value == 0
    agreement = score(KeywordAgreement(), engine, None, baseline, max_drop=0.01)
    assert agreement.metrics["agreement"].value == pytest.approx(
        f1_score((scores >= 0.5).ravel(), (others >= 0.5).ravel())
    )
    with pytest.raises(InputError, match="keywords of 60 recordings"):
        score(scorer, engine, truth[1:], baseline)


@pytest.mark.parametrize(
    ("cell", "keywords"),
    [("go", ("go",)), ("", ()), (" none ", ()), (None, ()), ([], ()), (["stop", "go"], ("stop", "go"))],
)
def test_what_is_said_in_a_recording(cell: Any, keywords: tuple[str, ...]) -> None:
    assert KEYWORDS.read(cell, _LABELS, "here") == keywords


def test_a_word_that_is_none() -> None:
    with pytest.raises(InputError, match="unknown label 'halt'"):
        KEYWORDS.read(["go", "halt"], _LABELS, "here")
    assert KEYWORDS.read("none", ("none", "go"), "here") == ("none",)
