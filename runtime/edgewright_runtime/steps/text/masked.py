"""What stands behind a mask in a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewright_runtime.errors import SampleError
from edgewright_runtime.probabilities import softmax
from edgewright_runtime.steps.text.tokenize import read_tokenizer
from edgewright_runtime.steps.values import call_of

if TYPE_CHECKING:
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues


class FillMask:
    """Logits of shape [1, tokens, vocabulary] to the likeliest tokens of each mask.

    Args:
        package: Where the tokenizer lies.
        logits: Name of the graph's output.
        tokenizer: URI of `tokenizer.json`.
        mask: The token that stands for a mask, as a text has it.
    """

    def __init__(self, package: Package, *, logits: str, tokenizer: str, mask: str) -> None:
        self._logits = logits
        self._tokenizer = read_tokenizer(package, tokenizer)
        self._mask = mask
        self._id = self._tokenizer.token_to_id(mask)
        if self._id is None:
            raise ValueError(f"the tokenizer has no token {mask!r}")

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add `tokens`: for each mask a list of `{"text", "score"}`, best first.

        `outputs` is replaced by the logits of the masks alone, shape [masks, vocabulary]: those of all other tokens are
        of no use to anyone, and large.

        Raises:
            SampleError: There is no mask in the part of the text that the model takes.
        """
        first = values["padding_before"]
        places = [place for place, token in enumerate(values["encoding"].ids) if token == self._id]
        if not places:
            raise SampleError(f"The model fills masks: the text must have {self._mask} where a word is missing.")
        rows = values[self._logits][0][[first + place for place in places]]
        scores = softmax(rows)
        best = (-scores).argsort(axis=1, kind="stable")[:, : call_of(values).top_k]
        tokens = [
            [{"text": self._tokenizer.decode([int(i)]).strip(), "score": float(row[i])} for i in chosen]
            for row, chosen in zip(scores, best, strict=True)
        ]
        return {"tokens": tokens, "outputs": {self._logits: rows}}
