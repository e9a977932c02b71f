"""Vectors of images and texts, made by two components: which text fits an image, and how well one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_runtime.probabilities import sigmoid, softmax
from edgewright_runtime.steps.call import CallOptions
from edgewright_runtime.steps.graph.infer import Infer
from edgewright_runtime.steps.text.tokenize import Tokenize, describe
from edgewright_runtime.steps.values import Values, call_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues

    Array = np.ndarray[Any, Any]

# Where a template has the label.
_PLACE = "{}"
# Texts whose vectors are kept: a call may bring others each time.
_KEPT = 10_000


class EmbedTexts:
    """Labels to choose from, as vectors: each is put into a template and read by the component of texts.

    Each text is read once and its vector kept for the calls that follow.

    Args:
        package: Holds the labels that are used where a call names none, and the tokenizer.
        engine: The active engine.
        component: Name of the component.
        vectors: Its output, [1, size].
        template: A text with `{}` where the label goes.
        text: Options of the step `tokenize`.
    """

    inner_options = Tokenize

    def __init__(
        self,
        package: Package,
        engine: Engine,
        *,
        component: str,
        vectors: str,
        template: str,
        **text: Any,
    ) -> None:
        self._tokenize = Tokenize(package, engine, **text)
        self._infer = Infer(engine, component=component)
        self.component = component
        # Nothing that the steps before have made goes into the graph.
        self.wired: Mapping[str, str] = {}
        self._labels = package.manifest.labels
        self._vectors = vectors
        self._template = template
        self._kept: dict[str, Array] = {}

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add `candidate_labels` (texts) and `text_embeds` (float32, [labels, size]).

        Raises:
            SampleError: There are no labels, or one is not text, or the template has no place for them.
        """
        labels, texts = posed_labels(call_of(values).options, self._labels, self._template)
        recorded = CallOptions(recorder=call_of(values).recorder)
        if len(self._kept) + len(texts) > _KEPT:
            self._kept.clear()
        for text in texts:
            if text not in self._kept:
                made = self._tokenize({"text": text})
                self._kept[text] = self._infer.arrays(Values.for_call(made, recorded))[self._vectors]
        return {"candidate_labels": labels, "text_embeds": np.concatenate([self._kept[text] for text in texts])}


def posed_labels(
    options: Mapping[str, object], default: Sequence[str], template: str
) -> tuple[Sequence[str], list[str]]:
    """The labels to choose from, and the template with each of them; a call may name others.

    Raises:
        SampleError: There are no labels, or one is not text, or the template has no place for them.
    """
    labels = _labels(options.get("candidate_labels"), default)
    asked = options.get("hypothesis_template") or template
    if not isinstance(asked, str) or _PLACE not in asked:
        raise SampleError(f"The template is {asked!r}; it must have '{_PLACE}' where the label goes.")
    return labels, [asked.replace(_PLACE, label) for label in labels]


def _labels(given: Any, default: Sequence[str]) -> Sequence[str]:
    if given is None:
        return default
    labels = [part.strip() for part in given.split(",")] if isinstance(given, str) else list(given)
    if not labels:
        raise SampleError("There are no labels to choose from.")
    for label in labels:
        if not isinstance(label, str) or not label.strip():
            raise SampleError(f"A label to choose from must be a text; found {describe(label)}.")
    return labels


class ZeroShot:
    """The vectors of an image and of labels to labels with scores, best first, as transformers' pipeline gives them.

    Args:
        image: Name of the image's vector, [1, size].
        texts: Name of the labels' vectors, [labels, size].
        scale: What the products of vectors are multiplied with.
        bias: What is then added.
        function: `softmax` over the labels, or `sigmoid` of each.
    """

    def __init__(
        self,
        *,
        image: str,
        texts: str,
        scale: float,
        bias: float = 0.0,
        function: Literal["softmax", "sigmoid"] = "softmax",
    ) -> None:
        if function not in ("softmax", "sigmoid"):
            raise ValueError(f"function is {function!r}")
        self._image = image
        self._texts = texts
        self._scale = np.float32(scale)
        self._bias = np.float32(bias)
        self._sigmoid = function == "sigmoid"

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add `logits` [1, labels], which `outputs` holds as well, `scores` [labels] and `labels`.

        The last is a list of `{"label", "score"}`: all of them, or the best `top_k` where a call says so.
        """
        logits = values[self._image] @ values[self._texts].T * self._scale + self._bias
        scores = (sigmoid if self._sigmoid else softmax)(logits[0])
        order = (-scores).argsort(kind="stable")[: call_of(values).options.get("top_k")].tolist()
        names = values["candidate_labels"]
        labels = [{"label": names[index], "score": float(scores[index])} for index in order]
        return {"logits": logits, "scores": scores, "labels": labels, "outputs": {"logits": logits}}


class Match:
    """Whether an image and a text belong together, by a model that reads both at once.

    Args:
        scores: Name of the scores for no and yes, [1, 2].
        image: Name of the image's vector, [1, size].
        text: Name of the text's vector, [1, size].
    """

    def __init__(self, *, scores: str, image: str, text: str) -> None:
        self._scores = scores
        self._image = image
        self._text = text

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add `match`: `{"score", "cosine"}`, the probability of yes and how alike the vectors are.

        `outputs` holds the scores alone.
        """
        scores = values[self._scores]
        cosine = float(values[self._image][0] @ values[self._text][0])
        match = {"score": float(softmax(scores[0])[1]), "cosine": cosine}
        return {"match": match, "outputs": {self._scores: scores}}


class Similarity:
    """How well an image and a text fit together: the cosine of their vectors, which have the length 1.

    Args:
        image: Name of the image's vector, [1, size].
        text: Name of the text's vector, [1, size].
    """

    def __init__(self, *, image: str, text: str) -> None:
        self._image = image
        self._text = text

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add `score`, -1 to 1; `outputs` holds both vectors."""
        image, text = values[self._image], values[self._text]
        return {"score": float(image[0] @ text[0]), "outputs": {self._image: image, self._text: text}}
