"""A float graph with patterns of nodes rewritten, compared with the graph that it comes from before anybody uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.graphs.exported import GRAPH_FILE, WEIGHTS_FOLDER, load_graph, save_graph
from edgewright_runtime.gaps import largest_gap, odd_place, output_size
from edgewright_runtime.options import EXTERNAL_WEIGHTS_KEY
from edgewright_runtime.provider_words import provider_words

if TYPE_CHECKING:
    import onnxruntime

    from edgewright_runtime.wire import Arrays

# So many inputs show a wrong graph; rounding is the same on all.
COMPARED = 16
# What rounding explains, as a share of the outputs' size: exports are held to the same.
_TOLERANCE = 1e-3


class RewriteError(Exception):
    """This graph cannot be rewritten so; the text says why, for people."""


def rewrite(folder: Path, words: Sequence[str], destination: Path) -> bool:
    """Write the graph in `folder` with the patterns of these words rewritten; gives whether there were any.

    Args:
        folder: Of the float graph.
        words: Some of `REWRITES`.
        destination: A folder; gets `model.onnx` and `weights/`, and nothing where nothing was rewritten.

    Raises:
        RewriteError: The graph does not allow it.
    """
    from edgewright_compiler.graphs.passes.contract import EditError, edit
    from edgewright_compiler.graphs.passes.plain_graph import InlineFunctions
    from edgewright_compiler.graphs.passes.rewrites import rewriting

    model = load_graph(folder)
    try:
        edit(model, InlineFunctions())
        if not edit(model, *rewriting(words)):
            return False
    except EditError as error:
        raise RewriteError(str(error)) from error
    save_graph(model, destination)
    return True


def compare_rewritten(folder: Path, source: Path, feeds: Mapping[str, Arrays]) -> None:
    """Compare a rewritten graph with the graph that it comes from.

    Args:
        folder: Of the rewritten graph.
        source: Of the other.
        feeds: What both are given, by what it is called in messages.

    Raises:
        RewriteError: It does not run, or its outputs differ by more than rounding explains.
    """
    try:
        made = _session(folder)
    except Exception as error:  # whatever ONNX Runtime throws, it is about this graph
        raise RewriteError(f"ONNX Runtime does not take the rewritten graph: {provider_words(error)}") from error
    reference = _session(source)
    names = [output.name for output in reference.get_outputs()]
    for words, feed in feeds.items():
        try:
            expected = reference.run(names, feed)
        except Exception:  # noqa: BLE001, S112 - sizes that the graph itself does not take say nothing
            continue
        try:
            found = made.run(names, feed)
        except Exception as error:
            raise RewriteError(f"The rewritten graph does not run on {words}: {provider_words(error)}") from error
        for name, value, other in zip(names, found, expected, strict=True):
            if problem := _apart(value, other):
                raise RewriteError(
                    f"The rewritten graph gives other outputs than the exported one: on {words}, '{name}' {problem}."
                )


def _session(folder: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if (folder / WEIGHTS_FOLDER).is_dir():
        options.add_session_config_entry(EXTERNAL_WEIGHTS_KEY, str(folder / WEIGHTS_FOLDER))
    return onnxruntime.InferenceSession(str(folder / GRAPH_FILE), options, providers=["CPUExecutionProvider"])


def _apart(value: object, expected: object) -> str:
    import numpy as np

    one, other = np.asarray(value), np.asarray(expected)
    if one.shape != other.shape:
        return f"has the shape {list(one.shape)} and not {list(other.shape)}"
    if place := odd_place(one, other):
        return place
    gap = largest_gap(one, other) / output_size(other)
    return f"differs by {gap:.2g} of its size ({_TOLERANCE:g} is allowed)" if gap > _TOLERANCE else ""
