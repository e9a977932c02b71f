"""Targets: named pieces of hardware, and the candidates worth trying on them.

    >>> from edgewright_targets import load_target
    >>> load_target("x86-64").candidates[0].name
    'cpu-fp32'

A target is one TOML file in this folder. Adding one is adding that file: the loader finds it by its name.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from edgewright_targets.errors import InputError, nearest
from edgewright_targets.host import architecture, host_facts, read_text
from edgewright_targets.recipe import Recipe
from edgewright_targets.record import RecordError, read_record

# From best to worst; a rung is never rounded up.
Rung = Literal["measured", "emulated", "compiled", "declared"]
RUNGS: tuple[Rung, ...] = get_args(Rung)

EngineKind = Literal["onnx", "epcontext"]

HOST = "host"

# Where Linux on Arm and RISC-V boards keeps the board's name.
_MODEL_FILE = "/proc/device-tree/model"
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")


@dataclass(frozen=True)
class Candidate:
    """A recipe on an execution provider, with the options that decide its speed.

    Attributes:
        name: Unique within the target, such as `cpu-int8`.
        provider: ONNX Runtime's name of the execution provider.
        precision: The word shown to people: `fp32`, `int8`, `int8-dynamic`, `default` (the provider decides), ...
        recipe: How the graph gets there.
        pad_to_multiple_of: Text is padded to a multiple of so many tokens: providers that compile for each new shape
            want few shapes, providers that do not want no padding.
        session_options: ONNX Runtime session options, as strings.
        provider_options: Options of the provider, as strings.
        engine: `onnx` is the graph itself, compiled by the provider where it is loaded; `epcontext` is compiled ahead
            of time, from a graph of fixed shapes.
        allow_partial: A part of the graph may be left to the CPU provider; otherwise that is a failure.
        tasks: The tasks it is tried for; empty is all of them.
    """

    name: str
    provider: str
    precision: str
    recipe: Recipe = field(default_factory=Recipe)
    pad_to_multiple_of: int = 1
    session_options: dict[str, str] = field(default_factory=dict)
    provider_options: dict[str, str] = field(default_factory=dict)
    engine: EngineKind = "onnx"
    allow_partial: bool = False
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """A named piece of hardware.

    Attributes:
        name: As on the command line.
        title: For people.
        architecture: As `uname -m` prints it.
        rung: The best rung that engines for it can reach from an ordinary x86-64 Linux host that is not the target
            itself; on the target itself it is `measured`.
        baseline: Name of the candidate that everything else is compared with: plain float, on the portable provider.
        candidates: What is tried, the preferred first: where no speed can be measured, this order decides.
        cores: Processor cores, 0 where it says nothing of them.
        emulated_cpu: Processor model that an emulator is asked for.
        machine_model: Begins what the machine's firmware says it is (`/proc/device-tree/model`); empty where every
            machine of the architecture will do.
    """

    name: str
    title: str
    architecture: str
    rung: Rung
    baseline: str
    candidates: tuple[Candidate, ...]
    cores: int = 0
    emulated_cpu: str = ""
    machine_model: str = ""

    def for_task(self, task: str) -> Target:
        """This target with the candidates that are tried for `task`."""
        fitting = tuple(one for one in self.candidates if not one.tasks or task in one.tasks)
        return dataclasses.replace(self, candidates=fitting)

    def is_here(self) -> bool:
        """Whether this machine is such a one: another of its architecture is not, and gives no figures for it."""
        return self.architecture == architecture() and read_text(_MODEL_FILE).startswith(self.machine_model)


@dataclass(frozen=True)
class _CandidateFile:
    name: str
    provider: str
    precision: str
    recipe: str
    pad_to_multiple_of: int = 1
    session_options: dict[str, str] = field(default_factory=dict)
    provider_options: dict[str, str] = field(default_factory=dict)
    engine: EngineKind = "onnx"
    allow_partial: bool = False
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _TargetFile:
    title: str
    architecture: str
    rung: Rung
    baseline: str
    recipe: dict[str, Recipe]
    candidate: tuple[_CandidateFile, ...]
    cores: int = 0
    emulated_cpu: str = ""
    machine_model: str = ""


@cache
def target_names() -> tuple[str, ...]:
    """Names of the targets that come with Edgewright, sorted; `host` stands for one of them and is not listed."""
    from importlib import resources

    files = resources.files("edgewright_targets").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def host_target_name() -> str | None:
    """The target that this machine is, or None where no target has its architecture.

    It is the one named after the architecture. A board's target has the same architecture, and is asked for by name.
    """
    name = host_facts().architecture.replace("_", "-")
    return name if name in target_names() else None


def load_target(name: str) -> Target:
    """The target called `name`: one of `target_names()`, `host`, or the path of a TOML file of the user's own.

    Raises:
        InputError: No such target, or its file is not a valid target.
    """
    if name == HOST:
        host = host_target_name()
        if host is None:
            machine = host_facts().architecture
            raise InputError(
                f"No target describes this machine (architecture {machine}).",
                hint=f"Write a target file and pass its path. Known targets: {', '.join(target_names())}.",
            )
        return load_target(host)
    if name.endswith(".toml"):
        path = Path(name)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"The target file '{name}' cannot be read: {error}.") from error
        return _parse_target(path.stem, text, name)
    if name not in target_names():
        raise InputError(f"Unknown target '{name}'.", hint=nearest(name, [HOST, *target_names()]))
    return _parse_target(name, _own_text(name), f"{name}.toml")


def _own_text(name: str) -> str:
    from importlib import resources

    return (resources.files("edgewright_targets") / f"{name}.toml").read_text(encoding="utf-8")


def _parse_target(name: str, text: str, where: str) -> Target:
    data = _extended(_toml(text, where), where)
    file = read_record(_TargetFile, data, where)
    names = [candidate.name for candidate in file.candidate]
    if len(set(names)) != len(names):
        raise RecordError(f"{where}: two candidates have the same name: {', '.join(names)}.")
    if file.baseline not in names:
        raise RecordError(
            f"{where}: the baseline '{file.baseline}' is no candidate.", hint=nearest(file.baseline, names)
        )
    for word in (name, *names):
        # Names of engines become names of folders in a package.
        if not set(word) <= _NAME_CHARACTERS or word.strip(".-_") != word or not word:
            raise RecordError(f"{where}: '{word}' is no name; use letters, digits, '.', '-' and '_' between them.")
    candidates = tuple(_candidate(file, entry, where) for entry in file.candidate)
    baseline = candidates[names.index(file.baseline)]
    if baseline.tasks:
        raise RecordError(f"{where}: the baseline '{baseline.name}' is for some tasks only; it must be for all.")
    for recipe in file.recipe.values():
        if recipe.block_size < 16 or recipe.block_size & (recipe.block_size - 1):
            raise RecordError(f"{where}: a block_size is {recipe.block_size}; expected 16, 32, 64, 128, ...")
    if baseline.recipe.method != "float":
        raise RecordError(
            f"{where}: the baseline '{baseline.name}' is {baseline.recipe.method}; everything is compared with float."
        )
    return Target(
        name,
        file.title,
        file.architecture,
        file.rung,
        file.baseline,
        candidates,
        file.cores,
        file.emulated_cpu,
        file.machine_model,
    )


def _toml(text: str, where: str) -> dict[str, Any]:
    # Here and not above: a device takes `Recipe` from this module and never reads a target file.
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecordError(f"{where}: not valid TOML: {error}.") from error


def _extended(data: dict[str, Any], where: str) -> dict[str, Any]:
    """The data with what it does not say taken from the target that its key `extends` names."""
    base = data.pop("extends", None)
    if base is None:
        return data
    if base not in target_names():
        raise RecordError(f"{where}: it extends the unknown target {base!r}.", hint=nearest(str(base), target_names()))
    below = _toml(_own_text(base), f"{base}.toml")
    if "extends" in below:
        raise RecordError(f"{where}: it extends '{base}', which extends another target itself; one step is allowed.")
    return {**below, **data, "recipe": {**below.get("recipe", {}), **data.get("recipe", {})}}


def _candidate(file: _TargetFile, entry: _CandidateFile, where: str) -> Candidate:
    if entry.pad_to_multiple_of < 1:
        raise RecordError(
            f"{where}: candidate '{entry.name}': pad_to_multiple_of is {entry.pad_to_multiple_of}; 1 is no padding."
        )
    if entry.recipe not in file.recipe:
        raise RecordError(
            f"{where}: candidate '{entry.name}' asks for the unknown recipe '{entry.recipe}'.",
            hint=nearest(entry.recipe, file.recipe),
        )
    return Candidate(
        entry.name,
        entry.provider,
        entry.precision,
        file.recipe[entry.recipe],
        entry.pad_to_multiple_of,
        entry.session_options,
        entry.provider_options,
        entry.engine,
        entry.allow_partial,
        entry.tasks,
    )
