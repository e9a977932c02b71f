"""Images and texts found by one another: a vector of each, and how well the two of a pair fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgewright_compiler.processors.image_text import image_text_kind
from edgewright_compiler.tasks._dual import IMAGE_VECTOR, TEXT, TEXT_VECTOR, DualEncoder
from edgewright_compiler.tasks._task import Task
from edgewright_runtime.manifest import PartSpec, PipelineSpec, StepSpec

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


class _Retrieval(DualEncoder):
    def pipeline(self, tokens: Sequence[str]) -> PipelineSpec:
        """The pipeline of both encoders."""
        compare = StepSpec("similarity", {"image": IMAGE_VECTOR, "text": TEXT_VECTOR})
        (tokenize,), image = self.text.steps(tokens), self.image_steps()
        # The tokenizer first: nothing is computed for a pair whose text is not valid.
        steps = (tokenize, *image, StepSpec("infer", {"component": TEXT}), compare)
        parts = {
            "image": PartSpec(tuple(range(1, 1 + len(image))), IMAGE_VECTOR),
            "text": PartSpec((0, 1 + len(image)), TEXT_VECTOR),
        }
        return PipelineSpec(self._task.input_name, self._task.output_name, steps, parts=parts)

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """The embeddings of each pair."""
        found = self.whole([sample["image"] for sample in samples], [sample["text"] for sample in samples])
        vectors = zip(found.image_embeds.numpy(), found.text_embeds.numpy(), strict=True)
        return [{IMAGE_VECTOR: image[None], TEXT_VECTOR: text[None]} for image, text in vectors]


TASK = Task(
    name="image-text-retrieval",
    model="AutoModel",
    outputs=(IMAGE_VECTOR, TEXT_VECTOR),
    processor=image_text_kind("image+text"),
    output_name="score",
    open=_Retrieval,
)
