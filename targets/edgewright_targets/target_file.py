"""Target files: TOML that is read strictly into a `Target`; what is wrong is said with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from edgewright_targets.engine_kinds import ENGINE_KINDS, PLAIN
from edgewright_targets.errors import nearest
from edgewright_targets.host import KNOWN_FEATURES
from edgewright_targets.recipe import Recipe
from edgewright_targets.record import RecordError, read_record
from edgewright_targets.target import Candidate, Rung, Target
from edgewright_targets.toml_lines import with_line

_CAPABILITY = re.compile(r"[1-9][0-9]?\.[0-9]")
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
# Makers of boards say GB and mean GiB or GB; a file says which.
_UNITS = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}
_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)")


@dataclass(frozen=True, kw_only=True)
class _CandidateFile:
    name: str
    provider: str
    precision: str
    recipe: str
    component_recipes: dict[str, str] = field(default_factory=dict)
    pad_to_multiple_of: int = 1
    session_options: dict[str, str] = field(default_factory=dict)
    provider_options: dict[str, str] = field(default_factory=dict)
    engine: str = PLAIN
    allow_partial: bool = False
    tasks: tuple[str, ...] = ()
    without_isa: tuple[str, ...] = ()
    quantized_only: bool = False


@dataclass(frozen=True, kw_only=True)
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
    isa: tuple[str, ...] = ()
    compute_capabilities: tuple[str, ...] = ()
    memory: str = ""


@cache
def target_names() -> tuple[str, ...]:
    """Names of the targets that come with Edgewright, sorted; `host` stands for one of them and is not listed."""
    files = resources.files("edgewright_targets").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def own_text(name: str) -> str:
    """The text of a target's file that comes with Edgewright."""
    return (resources.files("edgewright_targets") / f"{name}.toml").read_text(encoding="utf-8")


def read_target(name: str, text: str, where: str) -> Target:
    """The target called `name` that the TOML `text` describes; `where` is what messages call its file.

    Raises:
        RecordError: It is no valid target; the message begins with the file and the line.
    """
    try:
        return _parse(name, text, where)
    except RecordError as error:
        raise with_line(error, text, where) from error


def _parse(name: str, text: str, where: str) -> Target:
    data = _extended(_toml(text, where), where)
    file = read_record(_TargetFile, data, where)
    _check_names(name, file, where)
    _check_hardware(file, where)
    for key, recipe in file.recipe.items():
        if recipe.block_size < 16 or recipe.block_size & (recipe.block_size - 1):
            raise RecordError(
                f"{where}: recipe '{key}': block_size is {recipe.block_size}; expected 16, 32, 64, 128, ...",
                keys=("recipe", key, "block_size"),
            )
    candidates = tuple(_candidate(file, index, where) for index in range(len(file.candidate)))
    baseline = next(candidate for candidate in candidates if candidate.name == file.baseline)
    if baseline.tasks or baseline.without_isa or baseline.quantized_only:
        some = "tasks" if baseline.tasks else "processors" if baseline.without_isa else "graphs"
        raise RecordError(
            f"{where}: the baseline '{baseline.name}' is for some {some} only; it must be for all.", keys=("baseline",)
        )
    if baseline.recipe.method != "float":
        raise RecordError(
            f"{where}: the baseline '{baseline.name}' is {baseline.recipe.method}; everything is compared with float.",
            keys=("baseline",),
        )
    return Target(
        name=name,
        title=file.title,
        architecture=file.architecture,
        rung=file.rung,
        baseline=file.baseline,
        candidates=candidates,
        cores=file.cores,
        emulated_cpu=file.emulated_cpu,
        machine_model=file.machine_model,
        isa=file.isa,
        compute_capabilities=file.compute_capabilities,
        memory_bytes=_bytes(file.memory, where) if file.memory else 0,
    )


def _check_names(name: str, file: _TargetFile, where: str) -> None:
    names = [candidate.name for candidate in file.candidate]
    for index, word in enumerate(names):
        if word in names[:index]:
            raise RecordError(f"{where}: two candidates have the name '{word}'.", keys=("candidate", index, "name"))
    if file.baseline not in names:
        raise RecordError(
            f"{where}: the baseline '{file.baseline}' is no candidate.",
            hint=nearest(file.baseline, names),
            keys=("baseline",),
        )
    for index, word in enumerate((name, *names)):
        # Names of engines become names of folders in a package.
        if not set(word) <= _NAME_CHARACTERS or word.strip(".-_") != word or not word:
            raise RecordError(
                f"{where}: '{word}' is no name; use letters, digits, '.', '-' and '_' between them.",
                keys=("candidate", index - 1, "name") if index else (),
            )


def _check_hardware(file: _TargetFile, where: str) -> None:
    _check_features(file.isa, "isa", ("isa",), where)
    for capability in file.compute_capabilities:
        if not _CAPABILITY.fullmatch(capability):
            raise RecordError(
                f"{where}: compute_capabilities: '{capability}' is none; expected such as '8.9'.",
                keys=("compute_capabilities",),
            )


def _check_features(flags: Sequence[str], key: str, keys: tuple[str | int, ...], where: str) -> None:
    for flag in flags:
        if flag not in KNOWN_FEATURES:
            raise RecordError(f"{where}: {key}: '{flag}' is not known.", hint=nearest(flag, KNOWN_FEATURES), keys=keys)


def _bytes(memory: str, where: str) -> int:
    found = _MEMORY.fullmatch(memory)
    if found is None or found.group(2) not in _UNITS:
        raise RecordError(
            f"{where}: memory: '{memory}' is no size; expected a number and a unit, such as '8 GiB'.",
            hint=f"Units: {', '.join(_UNITS)}.",
            keys=("memory",),
        )
    return int(float(found.group(1)) * _UNITS[found.group(2)])


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    # RecursionError: brackets nested without end.
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecordError(f"{where}: not valid TOML: {str(error)[:200]}.") from error


def _extended(data: dict[str, Any], where: str) -> dict[str, Any]:
    """The data with what it does not say taken from the target that its key `extends` names."""
    base = data.pop("extends", None)
    if base is None:
        return data
    if base not in target_names():
        raise RecordError(
            f"{where}: it extends the unknown target {base!r}.",
            hint=nearest(str(base), target_names()),
            keys=("extends",),
        )
    below = _extended(_toml(own_text(base), f"{base}.toml"), f"{base}.toml")
    return {**below, **data, "recipe": {**below.get("recipe", {}), **data.get("recipe", {})}}


def _candidate(file: _TargetFile, index: int, where: str) -> Candidate:
    entry = file.candidate[index]
    at = ("candidate", index)
    if entry.pad_to_multiple_of < 1:
        raise RecordError(
            f"{where}: candidate '{entry.name}': pad_to_multiple_of is {entry.pad_to_multiple_of}; 1 is no padding.",
            keys=(*at, "pad_to_multiple_of"),
        )
    if entry.engine not in ENGINE_KINDS:
        raise RecordError(
            f"{where}: candidate '{entry.name}': engine: '{entry.engine}' is not a kind of engine.",
            hint=nearest(entry.engine, ENGINE_KINDS),
            keys=(*at, "engine"),
        )
    if ENGINE_KINDS[entry.engine].plan and not file.compute_capabilities:
        raise RecordError(
            f"{where}: candidate '{entry.name}' is a TensorRT plan, and the target has no compute_capabilities.",
            keys=(*at, "engine"),
        )
    _check_features(entry.without_isa, "without_isa", (*at, "without_isa"), where)
    for key, wanted in {"recipe": entry.recipe, **entry.component_recipes}.items():
        if wanted not in file.recipe:
            raise RecordError(
                f"{where}: candidate '{entry.name}' asks for the unknown recipe '{wanted}'.",
                hint=nearest(wanted, file.recipe),
                keys=(*at, "recipe" if key == "recipe" else "component_recipes"),
            )
    return Candidate(
        name=entry.name,
        provider=entry.provider,
        precision=entry.precision,
        recipe=file.recipe[entry.recipe],
        pad_to_multiple_of=entry.pad_to_multiple_of,
        session_options=entry.session_options,
        provider_options=_provider_options(file, entry),
        engine=entry.engine,
        allow_partial=entry.allow_partial,
        tasks=entry.tasks,
        component_recipes={component: file.recipe[recipe] for component, recipe in entry.component_recipes.items()},
        without_isa=entry.without_isa,
        quantized_only=entry.quantized_only,
    )


def _provider_options(file: _TargetFile, entry: _CandidateFile) -> dict[str, str]:
    if not ENGINE_KINDS[entry.engine].plan:
        return entry.provider_options
    return {"compute_capabilities": " ".join(file.compute_capabilities), **entry.provider_options}
