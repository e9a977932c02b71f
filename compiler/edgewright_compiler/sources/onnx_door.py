"""An ONNX file as it comes in: read, checked, and its inputs and outputs brought into the form that its task knows."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.checkpoints.exported_names import FIRST, NEXT, SWITCH, TOKENS
from edgewright_compiler.graphs.exported import ports_of
from edgewright_compiler.graphs.other_outputs import CutMap
from edgewright_compiler.graphs.read_graph import read_whole, unreadable
from edgewright_compiler.processors import (
    AnsweringProcessor,
    ComparingProcessor,
    LoopingProcessor,
    PaddedProcessor,
    Processor,
)
from edgewright_compiler.processors.audio import CheckpointAudio
from edgewright_compiler.sources.default_inputs import default_inputs
from edgewright_compiler.sources.onnx_support import refuse_unsupported
from edgewright_targets import InputError

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_compiler.graphs.passes.audio_inputs import GivenSound
    from edgewright_compiler.graphs.passes.text_inputs import GivenInput
    from edgewright_compiler.tasks import Task
    from edgewright_runtime.wire import Arrays

# Parts of the names of scores.
_SCORES = ("logit", "prob", "score")


@dataclass(frozen=True, kw_only=True)
class OpenedGraph:
    """A graph, and how its file has it.

    Attributes:
        model: The graph; its weights stay on disk until they are asked for. None where it was handed on.
        weights: Location to the file of its external weights.
        maps: Outputs that are maps in the file.
        defaults: Inputs with a value of their own.
        constant: Inputs of the file that are weights.
        turned: Inputs that have their channels last in the file.
        given: Inputs of a text or a recording as the file has them, where they are called otherwise; empty where not.
        freed: The sizes in the file were forgotten.
        whole: A file that takes whole texts, where the graph takes one token at a time: itself, which holds both, or
            the one beside it. None where there is none.
    """

    model: onnx_ir.Model | None
    weights: dict[str, Path]
    maps: dict[str, CutMap]
    defaults: Arrays
    constant: set[str]
    turned: tuple[str, ...]
    given: tuple[GivenInput | GivenSound, ...]
    freed: bool
    whole: Path | None

    @property
    def graph(self) -> onnx_ir.Model:
        """The graph where it is still here."""
        if self.model is None:
            raise LookupError("the graph was handed on")
        return self.model


def open_door(path: Path, task: Task, processor: Processor | None) -> OpenedGraph:
    """Read the file at `path` for a task, with the processor that lies beside it (None for named arrays).

    Raises:
        InputError: It is not ONNX, cut off, has operators that are not supported, or gives less than the task needs.
    """
    read = read_whole(path)
    # Not before: without onnx-ir, it says what to install.
    from edgewright_compiler.graphs.passes.contract import EditError, edit
    from edgewright_compiler.graphs.passes.interface import (
        ChannelsFirst,
        DropConstantInputs,
        FreePictureSizes,
        KeepOutputs,
    )
    from edgewright_compiler.graphs.passes.plain_graph import InlineFunctions
    from edgewright_compiler.graphs.passes.text_inputs import TextInputs

    model = read.model
    if not model.graph.outputs:
        raise unreadable(path, "the graph has no outputs.")
    # Where they cannot be, ONNX Runtime runs them all the same, and what quantizes the graph says why it fails.
    with contextlib.suppress(EditError):
        edit(model, InlineFunctions())
    refuse_unsupported(path, model)
    defaults = default_inputs(model) if processor is None else {}
    inputs = set(ports_of(model).inputs)
    edit(model, DropConstantInputs())
    made_by: object = processor
    whole = _take_caches(path, model) if isinstance(made_by, LoopingProcessor) else None
    turned, texts, freed = ChannelsFirst(), TextInputs(), False
    answers, compares, padded = (
        isinstance(processor, kind) for kind in (AnsweringProcessor, ComparingProcessor, PaddedProcessor)
    )
    # A processor that answers knows other forms of its task, of other outputs.
    if task.outputs and processor is not None and (compares or not answers):
        edit(model, KeepOutputs(task.outputs))
        _check_outputs(path, task, ports_of(model).outputs)
    sounds = _take_sound(model, task, made_by) if isinstance(made_by, CheckpointAudio) else ()
    if padded:
        edit(model, texts)
    if processor is not None and "image" in task.input_name.split("+"):
        edit(model, turned)
    given: tuple[GivenInput | GivenSound, ...] = (*texts.given, *sounds)
    constant = inputs - {one.name for one in given} - set(ports_of(model).inputs) - defaults.keys()
    if getattr(processor, "any_size", False) and len(model.graph.inputs) == 1:
        freed = edit(model, FreePictureSizes())
    maps = {one.output: one for one in read.maps}
    return OpenedGraph(
        model=model,
        weights=read.files,
        maps=maps,
        defaults=defaults,
        constant=constant,
        turned=tuple(turned.names),
        given=given,
        freed=freed,
        whole=whole,
    )


def _check_outputs(path: Path, task: Task, made: tuple[str, ...]) -> None:
    if len(made) < len(task.outputs):
        raise InputError(
            f"'{path}': the task {task.name} needs the outputs {', '.join(task.outputs)}; the graph has "
            f"{', '.join(made)}."
        )


def _take_caches(path: Path, model: onnx_ir.Model) -> Path | None:
    """Of a decoder that is two in one, leave the one with caches; gives the file that takes whole texts, if any."""
    from edgewright_compiler.graphs.passes.branches import TakeBranch
    from edgewright_compiler.graphs.passes.contract import EditError, edit
    from edgewright_compiler.graphs.passes.decoders import TakeOneToken

    try:
        merged = edit(model, TakeBranch(SWITCH, taken=True))
    except EditError as error:
        raise InputError(f"'{path}' is two graphs in one that cannot be taken apart: {error}.") from error
    if merged:
        # The file takes as many as the other decoder; this one was exported with one.
        edit(model, TakeOneToken(TOKENS))
        return path
    beside = path.with_name(f"{FIRST}.onnx")
    return beside if path.stem == NEXT and beside.is_file() else None


def _take_sound(model: onnx_ir.Model, task: Task, processor: CheckpointAudio) -> tuple[GivenSound, ...]:
    """Let the graph take the sound alone, and give what its task needs; gives the inputs of the file."""
    from edgewright_compiler.graphs.passes.audio_inputs import AudioInputs
    from edgewright_compiler.graphs.passes.contract import edit
    from edgewright_compiler.graphs.passes.interface import KeepOutputs

    front = processor.front
    sound = AudioInputs(front.input, front.rank, front.sampling_rate)
    edit(model, sound)
    names = [str(value.name) for value in model.graph.outputs if value.dtype is None or value.dtype.is_floating_point()]
    if len(task.outputs) == 1 and names and task.outputs[0] not in names:
        # Lengths may stand beside them.
        scores = (name for name in names if any(word in name.lower() for word in _SCORES))
        edit(model, KeepOutputs([next(scores, names[0])]))
    return sound.given
