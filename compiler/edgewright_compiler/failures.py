"""What goes wrong in other people's exporters, in words for the person who has the model."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from edgewright_targets import InputError
from edgewright_targets.errors import first_line

_OPERATOR = re.compile(r"No ONNX function found for <OpOverload\(op='([^']+)'")
_MISSING = re.compile(r"(?:operator|op(?:erator)? type)[^'\"]*['\"]?([a-z_]+(?:::|\.)[\w.]+)")
_TORCH = re.compile(r"[/\\\\](?:site|dist)-packages[/\\\\]torch[/\\\\]")
_PLACE = re.compile(r'File "([^"]+)", line (\d+), in (\w+)\n\s*(.+)')


@contextmanager
def export_failures(source: str) -> Iterator[None]:
    """Turn an exporter's failure into an error that names the operator and its place in the source."""
    import contextlib
    import io
    import logging
    import warnings

    disabled = logging.root.manager.disable
    # The exporter prints and logs its progress and hints for its own developers; errors are raised all the same.
    logging.disable(logging.ERROR)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise InputError(f"{source} cannot be exported to ONNX: {_explain(error)}") from error
    finally:
        logging.disable(disabled)


def _explain(error: BaseException) -> str:
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    text = "\n".join([str(entry) for entry in chain] + [_node_trace(entry) for entry in chain])
    operator = _OPERATOR.search(text) or _MISSING.search(text)
    places = [place for place in _PLACE.findall(text) if not _TORCH.search(place[0])]
    # The innermost frame is last in a Python stack trace: that is where the operator is called.
    place = f"{places[-1][0]}, line {places[-1][1]}: {places[-1][3].strip()}" if places else ""
    if operator:
        called = f" It is called in {place}" if place else ""
        return f"the exporter does not support the operator '{operator.group(1)}'.{called}"
    reason = f"{type(chain[-1]).__name__}: {first_line(chain[-1])}"
    return f"{reason} This comes from {place}" if place else reason


def _node_trace(error: BaseException) -> str:
    """The stack trace of the graph node that an exporter stumbled over; its message names the node, not the place."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        trace = getattr(frame.f_locals.get("node"), "stack_trace", None)
        if isinstance(trace, str):
            return trace
    return ""
