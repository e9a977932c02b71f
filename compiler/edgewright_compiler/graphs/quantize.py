"""Graphs to lower precision by recipe: passes, ONNX Runtime's quantizer on a file, and passes again."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.disk import disk_reason
from edgewright_compiler.graphs.end_layers import end_layers
from edgewright_compiler.graphs.exported import load_graph, save_graph, write_graph
from edgewright_compiler.graphs.float_groups.find import float_operators
from edgewright_compiler.graphs.quantized_already import quantized_already
from edgewright_compiler.graphs.quantizers import CALIBRATED, METHODS, QuantizationError, is_float8
from edgewright_targets import MissingDependencyError, Recipe

if TYPE_CHECKING:
    import onnx_ir
    from onnx_ir.passes import PassBase

    from edgewright_runtime.wire import Arrays

# A folder within the scratch, for what ONNX Runtime's quantizer is given.
_INPUT = "float"
# Ranges settle within some dozens of samples; the rest of a calibration file only costs time.
CALIBRATION_SAMPLES = 128
# What constants that mean infinity become. Beside 8-bit ranges: e^-20 is 2e-9, far below a step of 8-bit softmax.
_MASKED = 20.0
# In floats of 16 bits: within float16, stays so when a score is added to it, and is 0 after a softmax.
_MASKED_FLOAT = 3e4

# ONNX Runtime's own default for logs: warnings and errors.
_USUAL_SEVERITY = 2


def quantize(folder: Path, recipe: Recipe, feeds: Sequence[Arrays], destination: Path) -> None:
    """Write a graph in the precision of `recipe` into `destination`.

    The graph is read, edited by passes and written once for ONNX Runtime's quantizer; what that makes is edited by
    passes again and written once.

    Args:
        folder: Of the float graph.
        recipe: The method and its settings.
        feeds: What the graph is given for calibration samples; used by static methods.
        destination: A folder; gets `model.onnx` and `weights/`.

    Raises:
        QuantizationError: The graph or the feeds do not allow it.
    """
    from edgewright_compiler.graphs.passes.contract import EditError, edit

    if 0 < recipe.calibration_samples < len(feeds):
        feeds = [feeds[index * len(feeds) // recipe.calibration_samples] for index in range(recipe.calibration_samples)]
    with tempfile.TemporaryDirectory(dir=destination) as place, _quiet():
        scratch = Path(place)
        try:
            # The model is not held while the quantizer runs: its weights would be in memory twice.
            recipe = _write_prepared(load_graph(folder), recipe, feeds, scratch / _INPUT)
            with _own_failures(recipe):
                model = METHODS[recipe.method](scratch / _INPUT, recipe, feeds, scratch)
            if after := _passes_after(recipe, scratch / _INPUT):
                edit(model, *after)
        except EditError as error:
            raise QuantizationError(str(error)) from error
        save_graph(model, destination)


def write_prepared(folder: Path, recipe: Recipe, feeds: Sequence[Arrays], destination: Path) -> None:
    """Write the float graph as `quantize` gives it to the quantizer, whose nodes each have a name of their own.

    Args:
        folder: Of the float graph.
        recipe: The method and its settings.
        feeds: What the graph is given for calibration samples.
        destination: A folder; gets `model.onnx` with its weights beside it.

    Raises:
        QuantizationError: The graph or the feeds do not allow it.
    """
    from edgewright_compiler.graphs.passes.contract import EditError

    try:
        _write_prepared(load_graph(folder), recipe, feeds, destination)
    except EditError as error:
        raise QuantizationError(str(error)) from error


def _check_calibrated(recipe: Recipe, feeds: Sequence[Arrays]) -> None:
    if not feeds:
        title = "Quantization for the NPU" if recipe.method == "qnn" else "Static quantization"
        raise QuantizationError(f"{title} needs calibration data; pass it with --calibration.")
    if recipe.float_type == "bfloat16":
        raise QuantizationError("Ranges cannot be calibrated in bfloat16: ONNX Runtime's CPU cannot run the graph.")


def _write_prepared(model: onnx_ir.Model, recipe: Recipe, feeds: Sequence[Arrays], folder: Path) -> Recipe:
    """Write the graph as the quantizer needs it; gives the recipe with the names that its nodes have now.

    Raises:
        QuantizationError: It is quantized already, or there is nothing to calibrate it with.
        EditError: It cannot be edited so.
    """
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    from edgewright_compiler.graphs.passes.contract import edit
    from edgewright_compiler.graphs.passes.plain_graph import InlineFunctions, NameNodes
    from edgewright_compiler.graphs.passes.tied_weights import UntieWeights

    inlined = edit(model, InlineFunctions())
    if found := quantized_already(model):
        raise QuantizationError(f"The graph is already quantized ({found}).")
    if recipe.method in CALIBRATED:
        _check_calibrated(recipe, feeds)
    excluded = [node for node in model.graph.all_nodes() if node.name in recipe.excluded_nodes]
    wide = [node for node in model.graph.all_nodes() if node.name in recipe.wide_nodes]
    named = edit(model, NameNodes())
    kept = float_operators(model, recipe.kept_groups)
    if edit(model, UntieWeights()) or named or inlined or recipe.float_ends:
        # The layer before one that nothing reads is a last layer too.
        edit(model, RemoveUnusedNodesPass())
    names = [*recipe.excluded_nodes, *(str(node.name) for node in excluded)]
    if recipe.method != "cast":
        # Found before weights are untied: those of a loop that is written out are one.
        names += [one.node for one in kept]
    if recipe.float_ends:
        names += end_layers(model)
    if before := _passes_before(recipe):
        edit(model, *before)
    write_graph(model, folder)
    widened = (*recipe.wide_nodes, *(str(node.name) for node in wide))
    return dataclasses.replace(
        recipe, excluded_nodes=tuple(dict.fromkeys(names)), wide_nodes=tuple(dict.fromkeys(widened))
    )


def _passes_before(recipe: Recipe) -> list[PassBase]:
    """What a graph needs before ONNX Runtime's quantizer."""
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    from edgewright_compiler.graphs.passes.float_types import BoundInfinities
    from edgewright_compiler.graphs.passes.gemms import SplitGemms
    from edgewright_compiler.graphs.passes.opset import RaiseOpset

    passes: list[PassBase] = []
    if least := _least_opset(recipe):
        passes.append(RaiseOpset(least))
    if recipe.method == "qnn":
        # Exporters mask attention with the lowest float there is, which would stretch the range of scores beyond use.
        passes.append(BoundInfinities(_MASKED))
    elif recipe.method == "cast" or (recipe.method == "static" and recipe.float_type != "float32"):
        passes.append(BoundInfinities(_MASKED_FLOAT))
    elif recipe.method == "weight-only":
        passes += [SplitGemms(), RemoveUnusedNodesPass()]
    return passes


def _passes_after(recipe: Recipe, source: Path) -> list[PassBase]:
    """What a graph needs after ONNX Runtime's quantizer, which was given the graph in the folder `source`."""
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    from edgewright_compiler.graphs.passes.float8 import Int8ToFloat8
    from edgewright_compiler.graphs.passes.float_types import BrainFloats
    from edgewright_compiler.graphs.passes.unsigned import UnsignedActivations

    if recipe.method == "nncf" and recipe.activation_type == "uint8":
        return [UnsignedActivations(), RemoveUnusedNodesPass()]
    if recipe.method == "static" and is_float8(recipe):
        return [Int8ToFloat8()]
    if recipe.method == "cast" and recipe.float_type == "bfloat16":
        return [BrainFloats(load_graph(source))]
    return []


def _least_opset(recipe: Recipe) -> int:
    """The opset from which on QDQ pairs are as a recipe wants them; 0 where any will do."""
    from edgewright_compiler.graphs.passes.opset import CHANNEL_SCALES, FLOAT8, WIDE_INTEGERS

    if recipe.method not in CALIBRATED:
        return 0
    kinds = (recipe.activation_type, recipe.weight_type)
    if "uint16" in kinds or recipe.wide_nodes:
        return WIDE_INTEGERS
    if "float8e4m3fn" in kinds:
        return FLOAT8
    return CHANNEL_SCALES if recipe.per_channel else 0


@contextlib.contextmanager
def _own_failures(recipe: Recipe) -> Iterator[None]:
    """Report whatever quantizers throw, which has no common base, as a failure of this graph."""
    try:
        yield
    except QuantizationError:
        raise
    except MissingDependencyError as error:
        raise QuantizationError(f"{error.message} {error.hint}") from error
    except Exception as error:
        if disk_reason(error) is not None:
            # A full disk says nothing about the graph.
            raise
        quantizer = "NNCF" if recipe.method == "nncf" else "ONNX Runtime's quantizer"
        # Some messages are sentences over several lines.
        words = " ".join(str(error).split())
        raise QuantizationError(f"{quantizer} failed: {type(error).__name__}: {words}") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the quantizer's advice to its own developers off the user's terminal; errors are raised all the same."""
    import onnxruntime

    root = logging.getLogger()
    level, disabled = root.level, root.manager.disable
    # Not by the level alone: a quantizer that is imported here sets it to its own.
    logging.disable(logging.WARNING)
    # Its sessions log by the default: 3 is errors alone.
    onnxruntime.set_default_logger_severity(3)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        onnxruntime.set_default_logger_severity(_USUAL_SEVERITY)
        root.setLevel(level)
        logging.disable(disabled)
