"""A build file that was read: the settings of each of its builds, with their lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

from edgewright_benchmarks.data import check_there
from edgewright_compiler.build_files.form import BuildFile, ModelFile
from edgewright_compiler.building.setting_kinds import SETTINGS, SettingKind
from edgewright_compiler.sources import is_code
from edgewright_targets import InputError
from edgewright_targets.declared import declared_text, read_declared
from edgewright_targets.findings import CollectedInputError, Findings
from edgewright_targets.toml_lines import line_of

# It becomes the name of a folder.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class FiledSetting:
    """A setting that a file says.

    Attributes:
        value: As the build takes it: paths are joined to the folder of the file, shares are numbers.
        written: As it stands in the file.
        place: Where it stands, `edgewright.toml:7`; empty where it follows from something else.
    """

    value: object
    written: object
    place: str


@dataclass(frozen=True)
class FiledBuild:
    """One build of a file: its name, empty where it is the only one, and its settings by name, see `SETTINGS`."""

    name: str
    settings: Mapping[str, FiledSetting]


def read_build_file(path: Path) -> tuple[FiledBuild, ...]:
    """The builds that a file describes, in its order.

    Raises:
        InputError: There is no such file, or something in it is wrong. Everything that is wrong is said, with its line.
    """
    text = declared_text(path, "build file")
    file = read_declared(BuildFile, "build", text, str(path))
    reader, findings = _Reader(path, text), Findings()
    if not file.model:
        found = reader.settings(file, (), findings)
        findings.raise_any()
        return (FiledBuild("", found),)
    common = reader.settings(file, (), findings)
    for name in ("source", "output"):
        if name in common:
            findings.add(
                reader.problem(
                    f"'{name}' stands above tables of models, which cannot share it.",
                    (name,),
                    hint="Write it into each table [model.NAME]; an output is NAME.ortpackage if it is not said.",
                )
            )
    builds = [reader.model(name, model, common, findings) for name, model in file.model.items()]
    _check_outputs(path, builds, findings)
    findings.raise_any()
    return tuple(builds)


def read_models(path: Path, text: str, models: Mapping[str, ModelFile]) -> tuple[FiledBuild, ...]:
    """The builds that tables `[model.NAME]` of a file of another kind describe.

    Args:
        path: The file.
        text: Its content.
        models: The tables.

    Raises:
        InputError: Something in them is wrong. Everything that is wrong is said, with its line.
    """
    reader, findings = _Reader(path, text), Findings()
    builds = [reader.model(name, model, {}, findings) for name, model in models.items()]
    _check_outputs(path, builds, findings)
    findings.raise_any()
    return tuple(builds)


def _check_outputs(path: Path, builds: list[FiledBuild], findings: Findings) -> None:
    seen: dict[Path, str] = {}
    for build in builds:
        output = build.settings.get("output")
        if output is None:
            continue
        other = seen.setdefault(Path(str(output.value)).absolute(), build.name)
        if other != build.name:
            findings.add(
                InputError(
                    f"{output.place or path}: models '{other}' and '{build.name}' would be written to the same folder "
                    f"'{output.written}'.",
                    hint="Give each model an output of its own.",
                )
            )


class _Reader:
    """Reads the settings of tables of one file.

    Args:
        path: The file.
        text: Its content, which is valid TOML.
    """

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text

    def problem(self, message: str, keys: tuple[str, ...], *, hint: str = "") -> InputError:
        """That something is wrong at these keys, with the line."""
        return InputError(f"{self._place(keys)}: {message}", hint=hint)

    def model(self, name: str, model: ModelFile, common: Mapping[str, FiledSetting], findings: Findings) -> FiledBuild:
        """One of several builds: what it says itself, and for the rest what stands above."""
        keys = ("model", name)
        if not _NAME.fullmatch(name):
            findings.add(
                self.problem(
                    f"'{name[:60]}' cannot be the name of a model.",
                    keys,
                    hint="Use letters, digits, '-', '_' and '.'; it is also the name of its package.",
                )
            )
        output = f"{name}.ortpackage"
        by_name = FiledSetting(str(self._path.parent / output), output, "")
        return FiledBuild(name, {**common, "output": by_name, **self.settings(model, keys, findings)})

    def settings(self, model: ModelFile, keys: tuple[str, ...], findings: Findings) -> dict[str, FiledSetting]:
        """The settings that a table and those below it say; what is wrong with them is found."""
        found: dict[str, FiledSetting] = {}
        for name, written in _said(model).items():
            at = (*keys, *name.split("."))
            try:
                value = self._value(SETTINGS[name], written)
            except ValueError as error:
                findings.add(self.problem(f"{name}: {error}.", at))
            except InputError as error:
                for one in error.errors if isinstance(error, CollectedInputError) else (error,):
                    findings.add(self.problem(f"{name}: {one.message}", at, hint=one.hint))
            else:
                found[name] = FiledSetting(value, written, self._place(at))
        return found

    def _value(self, kind: SettingKind, written: object) -> object:
        value = kind.read(written)
        if isinstance(value, tuple):
            return tuple(self._located(kind, str(one)) for one in value)
        return self._located(kind, str(value)) if kind.path else value

    def _located(self, kind: SettingKind, name: str) -> str:
        """What a name leads to from the folder of the file; a name that is no path stays as it is."""
        path = self._path.parent / name
        try:
            there = path.exists()
            if kind.path == "source":
                # A function of Python, or a name that is looked up elsewhere; never a file beside somebody's shell.
                elsewhere = not there and (is_code(name) or not Path(name).exists())
                return name if elsewhere else str(path)
        except OSError as error:
            raise ValueError(f"'{name[:60]}' cannot be the name of a file: {error.strerror}") from error
        if kind.path == "target":
            return str(path) if there or path.suffix == ".toml" else name
        if kind.path == "data":
            check_there(path)
        return str(path)

    def _place(self, keys: tuple[str, ...]) -> str:
        line = line_of(self._text, keys)
        return str(self._path) if line is None else f"{self._path}:{line}"


def _said(record: object, table: str = "") -> dict[str, object]:
    """Name to value of all keys that are not left out, those of tables below included."""
    found: dict[str, object] = {}
    assert is_dataclass(record)
    for field in fields(record):
        value = getattr(record, field.name)
        if is_dataclass(value):
            found |= _said(value, f"{field.name}.")
        elif value is not None and f"{table}{field.name}" in SETTINGS:
            found[f"{table}{field.name}"] = value
    return found
