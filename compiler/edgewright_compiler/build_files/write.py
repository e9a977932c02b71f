"""The text of a first build file: what was found, and what can be said, with comments."""

from __future__ import annotations

import json

from edgewright_compiler.build_files.look_around import FoundData, Surroundings
from edgewright_targets.errors import printable

_WHAT = {
    "evaluation": ("labelled data that the engine is chosen on", "validation.csv"),
    "calibration": ("data for the ranges of int8 engines, apart from the evaluation data", "train.csv"),
}


def build_file_text(found: Surroundings) -> str:
    """A build file for a source, as a person would begin one."""
    return "\n".join([*_head(found), *_data(found), *_rest()]) + "\n"


def _head(found: Surroundings) -> list[str]:
    how = "as asked" if found.asked_task else "found in the source; write it here to have another"
    task = f"task = {_text(found.task)}"
    lines = [
        "# What 'edgewright build' does in this folder. Paths are relative to this file, and options of the command",
        "# line win over it. docs/declared.md of Edgewright lists all keys.",
        'kind = "build"',
        "",
        f"source = {_text(found.source)}",
        f"output = {_text(f'{found.name}.ortpackage')}",
        f"{task if found.asked_task else f'# {task}'}  # {how}",
    ]
    if found.labels_file:
        lines.append(f"labels = {_text(found.labels_file)}  # the names of {found.labels} classes")
    elif found.labels:
        lines.append(f"# The source names {found.labels:,} classes itself.")
    return [
        *lines,
        "targets = [\"host\"]  # this machine; 'edgewright targets' lists others",
        "# archive = true  # also one file, for transport",
        "",
    ]


def _data(found: Surroundings) -> list[str]:
    lines = ["[data]"]
    for purpose, (what, example) in _WHAT.items():
        data = found.data.get(purpose)
        if data is None:
            lines.append(f"# {purpose} = {_text(example)}  # {what}: none was found")
        elif data.problem:
            lines += [f"# Not taken: {printable(data.problem)}", f"# {purpose} = {_text(data.path)}  # {what}"]
        else:
            lines.append(f"{purpose} = {_text(data.path)}  # {_count(data)}: {what}")
    lines += ["# samples = 1000  # most samples to compare engines on; all if it is not said"]
    test = found.data.get("test")
    if test is not None and not test.problem:
        command = f"edgewright bench {found.name}.ortpackage --data {test.path}"
        lines.append(f"# {printable(test.path)} is left for figures to quote: {printable(command)}")
    return [*lines, ""]


def _rest() -> list[str]:
    return [
        "[budget]",
        'max_drop = "1%"  # the largest loss of accuracy that is allowed',
        'confidence = "95%"  # how sure that has to be',
        '# search = "10m"  # search so long for faster engines',
        "",
        "# [meter]",
        "# threads = 2  # of every engine; one for each core if it is not said",
        "# beside = 1  # also beside so many busy programs",
        "",
        "# [gates]",
        '# fail_on = "latency.p50 > +5%, accuracy < -0.5"  # what later comparisons of the package hold it to',
    ]


def _count(data: FoundData) -> str:
    labels = "labelled" if data.labelled else "without labels"
    return f"{data.samples:,} sample{'' if data.samples == 1 else 's'}, {labels}"


def _text(value: str) -> str:
    """A string of TOML: that of JSON with characters as they are; DEL is the one that JSON leaves bare."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
