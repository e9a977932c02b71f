"""Texts that a model writes, such as captions: chrF against texts that are right, or against the float baseline's.

chrF is sacrebleu's: the F-score (beta 2) of shared pieces of up to six characters, 0 to 1 here. Of several right texts
the best counts. For what pictures show two more stand beside it and decide nothing. CIDEr-D is made for captions: what
one scores there depends on all others of the data, and where all pictures have one and the same right caption it is 0
for everyone. The character error rate is made for lines that are read, and is given where each picture has one right
text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sacrebleu.metrics.chrf import CHRF

from edgewright_benchmarks.accuracy._cider import cider_d, cider_interval
from edgewright_benchmarks.accuracy._columns import Floats, Means
from edgewright_benchmarks.accuracy._metric import Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import texts_of
from edgewright_benchmarks.accuracy._transcripts import count_characters
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.intervals import rate_interval, wilson

# One or several for each sample.
ReferenceTexts = Sequence[Sequence[str]]

NO_TEXT = "The outputs hold no generated text; build the package with its task."


class LabelledWriting(Metric[ReferenceTexts]):
    """Texts against one or several that are right.

    Args:
        pictures: The texts are captions of pictures, or what stands on them: CIDEr-D and the character error rate are
            made for these.
    """

    def __init__(self, *, pictures: bool = False) -> None:
        self._pictures = pictures
        self.names = ("chrf", "cider_d", "exact_match", "character_error_rate") if pictures else ("chrf", "exact_match")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> ReferenceTexts:
        """The right texts."""
        return check_ground_truth(ground_truth, baseline, f"reference texts for {len(baseline)} samples")

    def scores(self, predictions: Sequence[Prediction], reference: ReferenceTexts) -> Scores:
        """The mean chrF of the texts, and the share that is right to the letter."""
        found = texts_of(predictions, NO_TEXT)
        exact = sum(_plain(one) in map(_plain, rights) for one, rights in zip(found, reference, strict=True))
        others = {"exact_match": wilson(exact, len(found))}
        if self._pictures:
            cider = cider_interval(cider_d(found, reference))
            others = {"cider_d": cider, **others, **_character_errors(found, reference)}
        return Scores("chrf", Means(chrf(found, reference)), others)


class WritingAgreement(Agreement[ReferenceTexts]):
    """Texts against those of the float baseline."""

    names = ("agreement", "same_text")

    def baseline_reference(self, baseline: Sequence[Prediction]) -> ReferenceTexts:
        """The baseline's texts."""
        return [(text,) for text in texts_of(baseline, NO_TEXT)]

    def scores(self, predictions: Sequence[Prediction], reference: ReferenceTexts) -> Scores:
        """The mean chrF with the baseline's text for the right one, and the share of equal texts."""
        found = texts_of(predictions, NO_TEXT)
        same = sum(one == other for one, (other,) in zip(found, reference, strict=True))
        return Scores("agreement", Means(chrf(found, reference)), {"same_text": wilson(same, len(found))})


def chrf(texts: Sequence[str], rights: Sequence[Sequence[str]]) -> Floats:
    """ChrF of each text, 0 to 1; two empty texts are alike."""
    metric = CHRF()
    found = []
    for text, some in zip(texts, rights, strict=True):
        whole = text.strip() in {right.strip() for right in some}
        found.append(1.0 if whole else metric.sentence_score(text, list(some)).score / 100)
    return np.array(found)


def _character_errors(texts: Sequence[str], rights: Sequence[Sequence[str]]) -> dict[str, Interval]:
    if any(len(some) != 1 for some in rights):
        return {}
    wrong, there = count_characters([right for (right,) in rights], texts)
    return {"character_error_rate": rate_interval(wrong, there)} if there.any() else {}


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")
