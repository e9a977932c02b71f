"""The settings of a build: what each is called in a file and on the command line, and how its value is read.

One list for build files, the command line and the evidence. A new setting is a row here, a key in
`build_files/form.py`, and a field of `BuildOptions` or `MeterSettings`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Literal

from edgewright_benchmarks.gate.rules import check_rules
from edgewright_benchmarks.statistics.confidence import read_confidence, read_share
from edgewright_compiler.building.search_bound import search_bound
from edgewright_targets import InputError


@dataclass(frozen=True)
class SettingKind:
    """A setting.

    Attributes:
        option: On the command line; empty where only files have it.
        field: Its field of `BuildOptions`, or of the settings of the meter where that is said.
        read: The value of a file as the build takes it; raises `ValueError` or `InputError` where it is wrong.
        path: What of the folder of a build file it names: `data` is a file or a folder, `output` what is written there;
            a `source` or a `target` may also be a name of something else.
        part: The field of `BuildOptions` that has its field in it; empty where it is one of `BuildOptions` itself.
        recorded: It is in the evidence; where the package is written is not.
    """

    option: str
    field: str
    read: Callable[[object], object] = lambda value: value
    path: Literal["", "data", "output", "source", "target"] = ""
    _: KW_ONLY
    part: Literal["", "meter", "own"] = ""
    recorded: bool = True


def _name(value: object) -> str:
    text = str(value)
    if not text.strip():
        raise ValueError("it is empty")
    if "\0" in text:
        raise ValueError("it has a character that no name has")
    return text


def _names(value: object) -> tuple[str, ...]:
    assert isinstance(value, tuple), "the reader of records gives tuples"
    if not value:
        raise ValueError("it is empty")
    return tuple(map(_name, value))


def _positive(value: object) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{value} is not above zero")
    return value


def _search(value: object) -> object:
    try:
        return search_bound(str(value))
    except InputError as error:
        raise ValueError(f"'{value}' is not a time such as 10m, or a number of engines such as 40") from error


def _rules(value: object) -> str:
    text = _name(value)
    check_rules(text)
    return text


# Name in a file (`TABLE.KEY`) -> what it is. In this order they are shown.
SETTINGS = {
    "source": SettingKind("SOURCE", "", _name, path="source"),
    "fetch": SettingKind("--fetch", "fetch", recorded=False),
    "output": SettingKind("--output", "output", _name, path="output", recorded=False),
    "task": SettingKind("--task", "task", _name),
    "metric": SettingKind("--metric", "metric", _name, part="own"),
    "pre": SettingKind("--pre", "pre", _name, part="own"),
    "post": SettingKind("--post", "post", _name, part="own"),
    "labels": SettingKind("--labels", "labels", _name, path="data"),
    "targets": SettingKind("--target", "targets", _names, path="target"),
    "archive": SettingKind("--archive", "archive", recorded=False),
    "data.evaluation": SettingKind("--evaluation", "evaluation", _name, path="data"),
    "data.calibration": SettingKind("--calibration", "calibration", _name, path="data"),
    "data.golden": SettingKind("--golden", "golden", _name, path="data"),
    "data.golden_samples": SettingKind("--golden-samples", "golden_samples"),
    "data.samples": SettingKind("--samples", "samples", _positive, part="meter"),
    "data.emulated_samples": SettingKind("--emulated-samples", "emulated_samples", _positive),
    "budget.max_drop": SettingKind("--max-drop", "max_drop", read_share),
    "budget.confidence": SettingKind("--confidence", "confidence", read_confidence),
    "budget.accept_baseline": SettingKind("--accept-baseline", "accept_baseline"),
    "budget.search": SettingKind("--search", "search", _search),
    "meter.threads": SettingKind("--threads", "threads", _positive, part="meter"),
    "meter.rounds": SettingKind("--rounds", "rounds", _positive, part="meter"),
    "meter.calls": SettingKind("--calls", "calls", _positive, part="meter"),
    "meter.loads": SettingKind("--loads", "loads", _positive, part="meter"),
    "meter.beside": SettingKind("--beside", "beside", _positive, part="meter"),
    "gates.fail_on": SettingKind("", "fail_on", _rules),
}
