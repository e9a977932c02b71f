"""Session options of a package, set on the session of ONNX Runtime that runs an engine.

Most are entries of the session's configuration. Some are attributes in Python, which does not look at the entries of
the same name that other languages and ONNX Runtime's reader of packages know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgewright_runtime.options import (
    EXECUTION_KEY,
    FREE_DIMENSION,
    MEMORY_ARENA_KEY,
    MEMORY_PATTERN_KEY,
    OPTIMIZATION_KEY,
    THREADS_KEY,
)


def _optimization(options: Any, value: str) -> None:  # noqa: ARG001 - the one value that is allowed
    import onnxruntime

    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL


def _execution(options: Any, value: str) -> None:
    import onnxruntime

    modes = onnxruntime.ExecutionMode
    options.execution_mode = modes.ORT_PARALLEL if value == "parallel" else modes.ORT_SEQUENTIAL


def _memory_arena(options: Any, value: str) -> None:
    options.enable_cpu_mem_arena = value == "1"


def _memory_pattern(options: Any, value: str) -> None:
    options.enable_mem_pattern = value == "1"


_ATTRIBUTES: Mapping[str, Callable[[Any, str], None]] = {
    OPTIMIZATION_KEY: _optimization,
    EXECUTION_KEY: _execution,
    MEMORY_ARENA_KEY: _memory_arena,
    MEMORY_PATTERN_KEY: _memory_pattern,
}


def set_session_options(options: Any, said: Mapping[str, str]) -> None:
    """Set what a package says on the `onnxruntime.SessionOptions`, but for its threads, which a caller may choose.

    Args:
        options: Of the session that will run the graph.
        said: Option to its value, checked by `check_options`, with asset URIs resolved.
    """
    for key, value in said.items():
        if key in _ATTRIBUTES:
            _ATTRIBUTES[key](options, value)
        elif key.startswith(FREE_DIMENSION):
            options.add_free_dimension_override_by_name(key.removeprefix(FREE_DIMENSION), int(value))
        elif key != THREADS_KEY:
            options.add_session_config_entry(key, value)
