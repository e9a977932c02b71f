"""Texts that a model writes, such as captions: chrF against texts that are right, or against the float baseline's.

chrF is sacrebleu's: the F-score (beta 2) of shared pieces of up to six characters, 0 to 1 here. Of several right texts
the best counts. For what pictures show two more stand beside it and decide nothing. CIDEr-D is made for captions: what
one scores there depends on all others of the data, and where all pictures have one and the same right caption it is 0
for everyone. The character error rate is made for lines that are read, and is given where each picture has one right
text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics.chrf import CHRF

from edgewright_benchmarks.accuracy._cider import cider_d, cider_interval
from edgewright_benchmarks.accuracy._mean import Scores, mean_accuracy, mean_interval
from edgewright_benchmarks.accuracy._scorer import check_samples, check_truth, texts_of
from edgewright_benchmarks.accuracy._transcripts import count_characters
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_benchmarks.statistics.intervals import rate_interval, wilson

NO_TEXT = "The outputs hold no written text; build the package with its task."


class LabelledWriting:
    """Scores texts against one or several that are right; see `Scorer`.

    Args:
        pictures: The texts are captions of pictures, or what stands on them: CIDEr-D and the character error rate are
            made for these.
    """

    measure: Measure = "accuracy"

    def __init__(self, *, pictures: bool = False) -> None:
        self._pictures = pictures

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Sequence[str]] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The mean chrF of the texts, and the share that is right to the letter; the drop is that of the former."""
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"right texts for {len(outputs)} samples")
        found = texts_of(outputs, NO_TEXT)
        exact = sum(_plain(one) in map(_plain, rights) for one, rights in zip(found, truth, strict=True))
        others = {"exact_match": wilson(exact, len(found))}
        if self._pictures:
            others = {"cider_d": cider_interval(cider_d(found, truth)), **others, **_character_errors(found, truth)}
        baseline = None if outputs is baseline_outputs else chrf(texts_of(baseline_outputs, NO_TEXT), truth)
        return _accuracy("chrf", chrf(found, truth), baseline, max_drop, others)


class WritingAgreement:
    """Scores texts against those of the float baseline; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Sequence[str]] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The mean chrF with the baseline's text for the right one, and the share of equal texts."""
        check_samples(outputs, baseline_outputs)
        found, rights = texts_of(outputs, NO_TEXT), texts_of(baseline_outputs, NO_TEXT)
        scores = chrf(found, [(text,) for text in rights])
        same = wilson(sum(one == other for one, other in zip(found, rights, strict=True)), len(found))
        baseline = None if outputs is baseline_outputs else np.ones_like(scores)
        return _accuracy("agreement", scores, baseline, max_drop, {"same_text": same})


def chrf(texts: Sequence[str], rights: Sequence[Sequence[str]]) -> Scores:
    """ChrF of each text, 0 to 1; two empty texts are alike."""
    metric = CHRF()
    found = []
    for text, some in zip(texts, rights, strict=True):
        whole = text.strip() in {right.strip() for right in some}
        found.append(1.0 if whole else metric.sentence_score(text, list(some)).score / 100)
    return np.array(found)


def _accuracy(
    metric: str, scores: Scores, baseline: Scores | None, max_drop: float | None, others: dict[str, Interval]
) -> Accuracy:
    return mean_accuracy({metric: mean_interval(scores), **others}, scores, baseline, max_drop=max_drop)


def _character_errors(texts: Sequence[str], rights: Sequence[Sequence[str]]) -> dict[str, Interval]:
    if any(len(some) != 1 for some in rights):
        return {}
    wrong, there = count_characters([right for (right,) in rights], texts)
    return {"character_error_rate": rate_interval(wrong, there)} if there.any() else {}


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")
