"""Which of some labels fits a text, by a model that tells whether one text follows from another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewright_runtime.probabilities import softmax
from edgewright_runtime.steps.image.similarity import posed_labels
from edgewright_runtime.steps.values import call_of

if TYPE_CHECKING:
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues


class PoseHypotheses:
    """A text and labels to pairs: each label is put into a template, and asked whether it follows from the text.

    Args:
        package: Holds the labels that are used where a call names none.
        template: A text with `{}` where the label goes.
    """

    def __init__(self, package: Package, *, template: str) -> None:
        self._labels = package.manifest.labels
        self._template = template

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add `candidate_labels`, and `query` and `passages` as the step for passages takes them.

        Raises:
            SampleError: There are no labels, or one is not text, or the template has no place for them.
        """
        labels, texts = posed_labels(call_of(values).options, self._labels, self._template)
        return {"candidate_labels": labels, "query": values["text"], "passages": texts}


class WeighHypotheses:
    """Logits of shape [labels, classes] to labels with scores, best first, as transformers' pipeline gives them.

    Args:
        logits: Name of the graph's output.
        entailment: The class that says that a hypothesis follows.
    """

    def __init__(self, *, logits: str, entailment: int) -> None:
        self._logits = logits
        self._entailment = entailment

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add `logits` [1, labels], which `outputs` holds as well, `scores` [labels] and `labels`.

        The last is a list of `{"label", "score"}`: all of them, or the best `top_k` where a call says so.
        """
        logits = values[self._logits][:, self._entailment][None]
        scores = softmax(logits[0])
        order = (-scores).argsort(kind="stable")[: call_of(values).options.get("top_k")].tolist()
        names = values["candidate_labels"]
        labels = [{"label": names[index], "score": float(scores[index])} for index in order]
        return {"logits": logits, "scores": scores, "labels": labels, "outputs": {"logits": logits}}
