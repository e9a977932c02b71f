"""Which words are said in a recording, and when, by graphs that hear it piece by piece."""

from __future__ import annotations

from typing import NoReturn

from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.tasks._task import Task
from edgewright_targets import InputError


def _declared_only(place: object) -> NoReturn:
    raise InputError(
        f"'{place}': keyword spotting is built from a .toml file that declares its graphs.",
        hint="docs/pipelines.md shows one.",
    )


_STREAMS = ProcessorKind(
    input_name="audio",
    tools=("soundfile", "soxr"),
    check=_declared_only,
    from_checkpoint=lambda checkpoint: _declared_only(checkpoint.folder),
    beside=lambda path, task: _declared_only(path),  # noqa: ARG005 - it serves one task
    files=(),
)

TASK = Task(name="keyword-spotting", processor=_STREAMS, output_name="keywords", labelled=True, declared=True)
