"""What a call builds: the settings of a build file with those of the command line, which win.

from edgewright_compiler import build
from edgewright_compiler.build_files.plan import plan_builds

for planned in plan_builds("edgewright.toml"):
build(planned.source, planned.options)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgewright_benchmarks.result import Origin
from edgewright_compiler.build_files.build_text import FiledBuild, FiledSetting, read_build_file
from edgewright_compiler.building.build_options import BuildOptions
from edgewright_compiler.building.setting_kinds import SETTINGS, SettingKind
from edgewright_targets import InputError
from edgewright_targets.findings import Findings


@dataclass(frozen=True)
class PlannedBuild:
    """A build of a call.

    Attributes:
        name: Of the model; empty where it is the only one.
        source: What is built.
        options: How.
        notes: What took the place of what, as sentences.
    """

    name: str
    source: str
    options: BuildOptions
    notes: tuple[str, ...] = ()


def plan_builds(
    file: str | Path | None, given: Mapping[str, object] | None = None, *, only: str | None = None
) -> tuple[PlannedBuild, ...]:
    """The builds of a file, of a call, or of both.

        >>> from edgewright_compiler.build_files.plan import plan_builds
        >>> (planned,) = plan_builds(None, {"source": "perceptron.onnx", "output": "p.ortpackage", "meter.rounds": 5})
        >>> planned.source, planned.options.meter.rounds, planned.options.max_drop
        ('perceptron.onnx', 5, 0.01)

    Args:
        file: The build file, or None.
        given: Settings by name (see `SETTINGS`) that the call says; they win over those of the file.
        only: Of several models this one alone.

    Raises:
        InputError: Something in the file is wrong, or what is needed is said nowhere.
    """
    given = given or {}
    builds = (FiledBuild("", {}),) if file is None else read_build_file(Path(file))
    if only is not None:
        builds = _only(builds, only, str(file))
    elif len(builds) > 1:
        shared = [SETTINGS[name].option for name in ("source", "output") if name in given]
        if shared:
            raise InputError(
                f"'{file}' describes {len(builds)} builds, which cannot share {' or '.join(shared)}.",
                hint="Name one of them with --only NAME: " + ", ".join(build.name for build in builds) + ".",
            )
    return plan_models(builds, given, file)


def plan_models(
    builds: Sequence[FiledBuild], given: Mapping[str, object], file: str | Path | None
) -> tuple[PlannedBuild, ...]:
    """The builds that tables of a file describe, with the settings of a call, which win.

    Raises:
        InputError: What is needed is said nowhere.
    """
    findings, planned = Findings(), []
    for build in builds:
        with findings.noted():
            planned.append(_planned(build, given, file))
    findings.raise_any()
    return tuple(planned)


def _only(builds: tuple[FiledBuild, ...], name: str, file: str) -> tuple[FiledBuild, ...]:
    found = tuple(build for build in builds if build.name == name)
    if not found:
        names = ", ".join(build.name for build in builds if build.name)
        raise InputError(
            f"'{file}' describes no model '{name}'.", hint=f"It has {names}." if names else "It describes one build."
        )
    return found


def _planned(build: FiledBuild, given: Mapping[str, object], file: str | Path | None) -> PlannedBuild:
    values = {name: setting.value for name, setting in build.settings.items()} | dict(given)
    origins: dict[str, Origin] = dict.fromkeys(build.settings, "file")
    origins |= dict.fromkeys(given, "command line")
    for name in ("source", "output"):
        if name not in values:
            raise _missing(name, build, file)
    said: list[tuple[SettingKind, Any]] = [
        (kind, values[name]) for name, kind in SETTINGS.items() if name in values and kind.field
    ]
    options = BuildOptions(**{kind.field: value for kind, value in said if not kind.part})
    meter = replace(options.meter, **{kind.field: value for kind, value in said if kind.part == "meter"})
    meter = replace(meter, rounds=max(2, meter.rounds))
    own = replace(options.own, **{kind.field: value for kind, value in said if kind.part == "own"})
    options = replace(options, meter=meter, own=own, origins=origins)
    replaced = (
        _replaced(name, build.settings[name], value)
        for name, value in given.items()
        if name in build.settings and build.settings[name].place and build.settings[name].value != value
    )
    return PlannedBuild(build.name, str(values["source"]), options, tuple(replaced))


def _missing(name: str, build: FiledBuild, file: str | Path | None) -> InputError:
    option = SETTINGS[name].option
    if file is None:
        return InputError(f"The following argument is required: {option}.", hint="'edgewright build --help' has more.")
    where = f"[model.{build.name}]" if build.name else "it"
    return InputError(
        f"{file}: {where} does not say the key '{name}'.",
        hint=f'Write {name} = "..." into it, or pass {option} on the command line.',
    )


def _replaced(name: str, setting: FiledSetting, value: object) -> str:
    """That a setting of the call took the place of one of the file, as a sentence."""
    option = SETTINGS[name].option
    return f"{option} {_words(value)} takes the place of {name} = {_words(setting.written)} ({setting.place})."


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return f"{100 * value:g}%" if isinstance(value, float) else str(value)
