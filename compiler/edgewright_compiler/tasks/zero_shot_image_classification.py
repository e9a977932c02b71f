"""Which of some texts fits an image; the texts are named when it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgewright_compiler.processors.image_text import image_text_kind
from edgewright_compiler.tasks._dual import HEADS, IMAGE_VECTOR, TEXT, TEXT_VECTOR, DualEncoder
from edgewright_compiler.tasks._task import Task
from edgewright_runtime.manifest import PipelineSpec, StepSpec

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

# As transformers' pipeline.
_TEMPLATE = "This is a photo of {}."


class _ZeroShot(DualEncoder):
    def pipeline(self, tokens: Sequence[str]) -> PipelineSpec:
        """The pipeline of both encoders."""
        (tokenize,) = self.text.steps(tokens)
        embed = {"component": TEXT, "vectors": TEXT_VECTOR, "template": _TEMPLATE, **tokenize.options}
        bias = getattr(self.model, "logit_bias", None)
        choose = {
            "image": IMAGE_VECTOR,
            "texts": TEXT_VECTOR,
            "scale": float(self.model.logit_scale.detach().exp()),
            "bias": 0.0 if bias is None else float(bias.detach()),
            "function": "sigmoid" if self.sigmoid else "softmax",
        }
        steps = (*self.image_steps(), StepSpec("embed_texts", embed), StepSpec("zero_shot", choose))
        return PipelineSpec(self._task.input_name, self._task.output_name, steps)

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """The scores of the labels."""
        texts = [_TEMPLATE.format(label) for label in self._checkpoint.labels]
        scores = self.whole(samples, texts).logits_per_image.numpy()
        return [{"logits": row[None]} for row in scores]


TASK = Task(
    name="zero-shot-image-classification",
    heads=HEADS,
    model="AutoModel",
    outputs=("logits_per_image",),
    processor=image_text_kind("image"),
    output_name="labels",
    labelled=True,
    own_labels=False,
    open=_ZeroShot,
)
