"""SAM in two graphs: one reads the picture, the other makes masks of what it read and of points.

vision   pixels -> image embeddings
masks    image embeddings, points with what each is -> logits of masks, scores

A box is two points of kinds of their own, as in the export of SAM's makers, so that one graph takes points, a box, or
both. Graphs that optimum exported take points alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.checkpoints.exported_names import PROMPTED
from edgewright_compiler.failures import export_failures
from edgewright_compiler.graphs.exported import ports_of, save_model
from edgewright_compiler.graphs.read_graph import read_graph
from edgewright_compiler.processors.image import INPUT
from edgewright_compiler.processors.prompted import LABELS, MASKS, POINTS, SCORES, PromptedProcessor
from edgewright_compiler.tasks._wrapped import export_part
from edgewright_runtime.manifest import PipelineSpec, StepSpec
from edgewright_runtime.provider_words import provider_words
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_compiler.tasks._task import Exporter, Task
    from edgewright_runtime.wire import Arrays

_VISION, _MASKS, _EMBEDDINGS = "vision", "masks", "image_embeddings"
# Kinds of points, by the number of the embedding that is added to them; filling has another one in its place.
_KINDS, _FILLING = 4, -1


def prompted_model(task: Task, checkpoint: Checkpoint) -> Exporter:
    """A model of weights, or of the graphs that were exported of it."""
    return _PromptedGraphs(task, checkpoint) if checkpoint.graphs else _PromptedModel(task, checkpoint)


def _attend_in_plain_operators(model: Any) -> None:
    """Let a SAM attend without torch's fused kernel, whose strides the exporter takes for those of its parts."""
    from transformers.models.sam import modeling_sam

    library: Any = modeling_sam
    for layer in model.vision_encoder.layers:
        # The fused form has the same weights, and derives from the plain one.
        layer.attn.__class__ = library.SamVisionAttention


class _Prompted:
    """What both kinds have in common: the way around their graphs."""

    def __init__(self, task: Task, checkpoint: Checkpoint, *, boxes: bool) -> None:
        self._task = task
        self._checkpoint = checkpoint
        self._processor = PromptedProcessor(checkpoint, boxes=boxes)

    def _pipeline(self, inputs: Sequence[str], outputs: Sequence[str]) -> PipelineSpec:
        """The way through a graph that takes `inputs` to one that gives `outputs`."""
        steps = (
            *self._processor.steps(inputs),
            StepSpec("infer", {"component": _VISION}),
            StepSpec("infer", {"component": _MASKS}),
            *self._processor.answer(outputs),
        )
        return PipelineSpec(self._task.input_name, self._task.output_name, steps)


class _PromptedModel(_Prompted):
    """A checkpoint; see `Exporter`.

    Raises:
        InputError: It cannot be loaded, or takes pictures of another size than its processor gives.
    """

    def __init__(self, task: Task, checkpoint: Checkpoint) -> None:
        super().__init__(task, checkpoint, boxes=True)
        self._model = checkpoint.load_model(task.model)
        _attend_in_plain_operators(self._model)
        edge = self._model.config.vision_config.image_size
        pixels = self._processor.example()[INPUT]
        if tuple(pixels.shape[2:]) != (edge, edge):
            raise InputError(
                f"'{checkpoint.name}': its image processor gives pictures of {pixels.shape[2]} x {pixels.shape[3]}, "
                f"and its model takes {edge} x {edge}."
            )

    def export(self, folder: Path) -> None:
        """Write the model into `folder` (see `graphs.exported`)."""
        import torch

        pixels = {INPUT: self._processor.example()[INPUT][:1]}
        with torch.no_grad():
            read = self._read(**pixels)
        prompts = {_EMBEDDINGS: read, **self._processor.prompt_example()}
        # At least two points of any kind: with one alone the exporter would take its number for a constant.
        points = torch.export.Dim("points", min=2, max=1 << 14)
        with export_failures(f"'{self._checkpoint.folder}'"):
            vision = export_part(self._model, self._read, pixels, (_EMBEDDINGS,), {})
            axes = {POINTS: {2: points}, LABELS: {2: points}}
            masks = export_part(self._model, self._masks, prompts, (MASKS, SCORES), axes)
        pipeline = self._pipeline((INPUT,), (MASKS, SCORES))
        save_model(folder, {_VISION: vision, _MASKS: masks}, pipeline, task=self._task.name)

    def _read(self, pixel_values: Any) -> Any:
        return self._model.vision_encoder(pixel_values).last_hidden_state

    def _masks(self, image_embeddings: Any, input_points: Any, input_labels: Any) -> Any:
        """As `SamModel.forward` does it, points and corners of a box in one list."""
        import torch

        model, prompts = self._model, self._model.prompt_encoder
        kinds = input_labels[..., None]
        size = (prompts.input_image_size, prompts.input_image_size)
        points = prompts.shared_embedding(input_points + 0.5, size)
        points = torch.where(kinds == _FILLING, prompts.not_a_point_embed.weight, points)
        for kind in range(_KINDS):
            points = torch.where(kinds == kind, points + prompts.point_embed[kind].weight, points)
        dense = prompts.no_mask_embed.weight.reshape(1, -1, 1, 1).expand(-1, -1, *prompts.image_embedding_size)
        return model.mask_decoder(
            image_embeddings=image_embeddings,
            image_positional_embeddings=model.get_image_wide_positional_embeddings(),
            sparse_prompt_embeddings=points,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What the model itself gives, with its own processor."""
        import torch

        found = []
        with torch.no_grad():
            for sample in samples:
                feeds = {name: torch.from_numpy(value) for name, value in self._processor.feeds(sample).items()}
                made = self._model(**feeds)
                found.append({MASKS: made.pred_masks.numpy(), SCORES: made.iou_scores.numpy()})
        return found


class _PromptedGraphs(_Prompted):
    """The two graphs that optimum exports; see `Exporter`.

    Raises:
        InputError: They cannot be read, or take and give something else.
    """

    def __init__(self, task: Task, checkpoint: Checkpoint) -> None:
        super().__init__(task, checkpoint, boxes=False)
        self._graphs = {
            name: read_graph(checkpoint.graphs[file]) for name, file in zip((_VISION, _MASKS), PROMPTED, strict=True)
        }
        vision, masks = (ports_of(graph) for graph in self._graphs.values())
        missing = {POINTS, LABELS, _EMBEDDINGS} - {*masks.inputs}
        unknown = {*masks.inputs} - {POINTS, LABELS, *vision.outputs}
        if vision.inputs != (INPUT,) or missing or unknown or not {MASKS, SCORES} <= {*masks.outputs}:
            raise InputError(
                f"'{checkpoint.name}': its graphs take {', '.join((*vision.inputs, *masks.inputs))} and give "
                f"{', '.join((*vision.outputs, *masks.outputs))}; expected {INPUT}, {_EMBEDDINGS}, {POINTS} and "
                f"{LABELS}, "
                f"and {MASKS} and {SCORES}, as optimum calls them."
            )

    def export(self, folder: Path) -> None:
        """Write the model into `folder` (see `graphs.exported`)."""
        pipeline = self._pipeline((INPUT,), ports_of(self._graphs[_MASKS]).outputs)
        save_model(folder, self._graphs, pipeline, task=self._task.name)

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What ONNX Runtime answers with the user's own files and all graph optimisations off."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        files = [str(self._checkpoint.graphs[file]) for file in PROMPTED]
        found = []
        try:
            reads, masks = (
                onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"]) for file in files
            )
            takes = [entry.name for entry in masks.get_inputs()]
            gives = ([entry.name for entry in reads.get_outputs()], [entry.name for entry in masks.get_outputs()])
            for sample in samples:
                fed = self._processor.feeds(sample)
                known = fed | dict(zip(gives[0], reads.run(None, {INPUT: fed[INPUT]}), strict=True))
                made = masks.run(None, {name: known[name] for name in takes})
                found.append(dict(zip(gives[1], made, strict=True)))
        except InputError:
            raise
        except Exception as error:
            raise InputError(f"'{self._checkpoint.name}': its graphs cannot run: {provider_words(error)}") from error
        return found
