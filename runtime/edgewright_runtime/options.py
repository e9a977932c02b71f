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
# Whether threads wait busily for the next piece of work: faster, and it takes processor time from other programs.
SPINNING_KEY = "session.intra_op.allow_spinning"
# Memory that is kept from call to call, and planned ahead for a shape that was seen before.
MEMORY_ARENA_KEY = "session.enable_cpu_mem_arena"
MEMORY_PATTERN_KEY = "session.enable_mem_pattern"
# Whether nodes that do not wait for one another run at the same time.
EXECUTION_KEY = "session.execution_mode"
PREPACKING_KEY = "session.disable_prepacking"
# Numbers too small for the usual form of a float count as zero: some processors compute with them far more slowly.
DENORMALS_KEY = "session.set_denormal_as_zero"
# Products of floats by the bfloat16 instructions of an Arm processor: faster, and of 8 bits of precision.
ARM_BF16_KEY = "mlas.enable_gemm_fastmath_arm64_bfloat16"
# An axis of the graph's inputs, by its name behind this, has one length.
FREE_DIMENSION = "edgewright.free_dimension."
# What changes how fast a session runs, and neither what it computes nor in which order.
_SPEED_KEYS = frozenset(
    {
        THREADS_KEY,
        SPINNING_KEY,
        "session.inter_op.allow_spinning",
        MEMORY_ARENA_KEY,
        MEMORY_PATTERN_KEY,
        EXECUTION_KEY,
        PREPACKING_KEY,
    }
)

EXTERNAL_WEIGHTS_KEY = "session.model_external_initializers_file_folder_path"
ASSET_URI = re.compile(r"sha256:([0-9a-f]{64})((?:/[\w.-]+)*)")

# A name of an axis, as exporters write it. ONNX Runtime takes keys of 128 characters.
NAME_IN_KEY = re.compile(r"[ -~]{1,90}", re.ASCII)

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

_SWITCHES = (
    EXACT_PRODUCTS_KEY,
    SPINNING_KEY,
    "session.inter_op.allow_spinning",
    MEMORY_ARENA_KEY,
    MEMORY_PATTERN_KEY,
    PREPACKING_KEY,
    DENORMALS_KEY,
    ARM_BF16_KEY,
    # Arm's own kernels, which ONNX Runtime takes where there are any.
    "mlas.disable_kleidiai",
    # Pairs of quantizing and dequantizing nodes: whether they become integer operators, and what is left is removed.
    "session.disable_quant_qdq",
    "session.enable_quant_qdq_cleanup",
    "session.disable_double_qdq_remover",
    "session.qdqisint8allowed",
    "session.disable_cpu_ep_fallback",
)
# A key that ends with a dot is the front of many: what follows is a name from the graph.
SESSION_OPTIONS: Mapping[str, Check] = {
    THREADS_KEY: thread_count,
    EXTERNAL_WEIGHTS_KEY: lambda value: None if ASSET_URI.fullmatch(value) else "an asset URI (sha256:<64 hex digits>)",
    OPTIMIZATION_KEY: one_of(AS_WRITTEN),
    EXECUTION_KEY: one_of("sequential", "parallel"),
    FREE_DIMENSION: matching(r"[1-9][0-9]{0,8}", "a length from 1 to 999999999"),
    **dict.fromkeys(_SWITCHES, one_of("0", "1")),
}


def of_speed_alone(key: str) -> bool:
    """Whether a session option changes how fast a session runs and not its numbers, for inputs that it takes."""
    return key in _SPEED_KEYS or key.startswith(FREE_DIMENSION)


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
        entry = _entry(key, known)
        if entry not in known:
            raise PackageError(
                f"{place}: the {whose} option {_short(key)} is not allowed in a package.",
                hint=nearest(key[:100], known),
            )
        if (expected := known[entry](value)) is not None:
            raise PackageError(f"{place}: the {whose} option {_short(key)} is {_short(value)}; expected {expected}.")


def _entry(key: str, known: Mapping[str, Check]) -> str:
    """The entry of `known` for a key: itself, or the front that it begins with."""
    fronts = (front for front in known if front.endswith(".") and key.startswith(front))
    front = next(fronts, "")
    # Without a name behind it, a front is no key.
    return front if front and NAME_IN_KEY.fullmatch(key, len(front)) else key.removesuffix(".")


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}...")
