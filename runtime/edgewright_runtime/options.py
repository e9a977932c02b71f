"""Options of a package that reach a native library: an allow-list, because some of them write files or load libraries.

ONNX Runtime and its providers take hundreds of options. Among them are paths of files to write, of libraries to load
and of folders to read. A package may set what the compiler writes, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from edgewright_runtime.errors import PackageError
from edgewright_targets.errors import nearest

THREADS_KEY = "intra_op_num_threads"
# ONNX Runtime's option for sums of integer products that cannot saturate, on x86-64 without instructions for them.
EXACT_PRODUCTS_KEY = "session.x64quantprecision"
# How far ONNX Runtime rewrites a graph before it runs it; its own package reader knows the same key and words.
OPTIMIZATION_KEY = "session.graph_optimization_level"
AS_WRITTEN = "disable_all"
EXTERNAL_WEIGHTS_KEY = "session.model_external_initializers_file_folder_path"
ASSET_URI = re.compile(r"sha256:([0-9a-f]{64})((?:/[\w.-]+)*)")

# What is expected of a value, in words; None where the value is right.
Check = Callable[[str], str | None]


def matching(pattern: str, expected: str) -> Check:
    """A check that the whole value has the form `pattern`; `expected` says so in words."""
    form = re.compile(pattern, re.ASCII)
    return lambda value: None if form.fullmatch(value) else expected


def one_of(*values: str) -> Check:
    """A check that the value is one of these."""
    return lambda value: None if value in values else f"one of {', '.join(values)}"


# No machine has 10,000 processors.
thread_count = matching(r"[0-9]{1,4}", "a number of threads below 10000")

SESSION_OPTIONS: Mapping[str, Check] = {
    THREADS_KEY: thread_count,
    EXTERNAL_WEIGHTS_KEY: lambda value: None if ASSET_URI.fullmatch(value) else "an asset URI (sha256:<64 hex digits>)",
    EXACT_PRODUCTS_KEY: one_of("0", "1"),
    OPTIMIZATION_KEY: one_of(AS_WRITTEN),
    "session.disable_cpu_ep_fallback": one_of("0", "1"),
}


def check_options(options: Mapping[str, str], known: Mapping[str, Check], place: str, whose: str) -> None:
    """Refuse options that are not `known`, and values that they cannot have.

    Args:
        options: Option to value.
        known: Option to the check of its value.
        place: Package and engine, for messages.
        whose: What the options belong to, such as `session`.

    Raises:
        PackageError: An option is unknown, or its value is wrong.
    """
    for key, value in options.items():
        if key not in known:
            raise PackageError(
                f"{place}: the {whose} option {_short(key)} is not allowed in a package.",
                hint=nearest(key[:100], known),
            )
        if (expected := known[key](value)) is not None:
            raise PackageError(f"{place}: the {whose} option '{key}' is {_short(value)}; expected {expected}.")


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}...")
