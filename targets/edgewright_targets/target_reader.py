"""Targets out of their files: what is wrong is refused with its line."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Sequence
from typing import TypeVar

from edgewright_targets.engine_kinds import ENGINE_KINDS
from edgewright_targets.errors import nearest
from edgewright_targets.host import KNOWN_FEATURES
from edgewright_targets.record import RecordError
from edgewright_targets.target import Candidate, Rung, Target
from edgewright_targets.target_file import CandidateFile, TargetFile, laid_over, read_file
from edgewright_targets.toml_lines import with_line

V = TypeVar("V")

# Packages hold a number of four digits: no machine has 10,000 processors.
MOST_THREADS = 9999
_CAPABILITY = re.compile(r"[1-9][0-9]?\.[0-9]")
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
# Makers of boards say GB and mean GiB or GB; a file says which.
_UNITS = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}
_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)")


def read_target(name: str, text: str, where: str, tasks: Collection[str] | None = None) -> Target:
    """The target called `name` that the TOML `text` describes; `where` is what messages call its file.

    Args:
        name: Name of the target.
        text: Content of its file.
        where: The file, for messages.
        tasks: Names of all tasks, for candidates that are for some of them only; None does not check those.

    Raises:
        RecordError: It is not a valid target; the message begins with the file and the line.
    """
    file = read_file(text, where)
    try:
        return _target(name, file, where, tasks)
    except RecordError as error:
        raise with_line(error, text, where) from error


def _target(name: str, file: TargetFile, where: str, tasks: Collection[str] | None) -> Target:
    title = _needed(file.title, "title", where)
    architecture = _needed(file.architecture, "architecture", where)
    rung: Rung = _needed(file.rung, "rung", where)
    baseline = _needed(file.baseline, "baseline", where)
    entries = _needed(file.candidate, "candidate", where)
    _check_names(name, baseline, entries, where)
    _check_hardware(file, where)
    for key, recipe in file.recipe.items():
        if recipe.block_size < 16 or recipe.block_size & (recipe.block_size - 1):
            raise RecordError(
                f"{where}: recipe '{key}': block_size is {recipe.block_size}; expected 16, 32, 64, 128, ...",
                keys=("recipe", key, "block_size"),
            )
        if not 50 < recipe.percentile <= 100:
            raise RecordError(
                f"{where}: recipe '{key}': percentile is {recipe.percentile}; expected more than 50, up to 100.",
                keys=("recipe", key, "percentile"),
            )
        if recipe.calibration_samples < 0:
            raise RecordError(
                f"{where}: recipe '{key}': calibration_samples is {recipe.calibration_samples}; expected 1, 2, 3, ..., "
                "or 0 for all.",
                keys=("recipe", key, "calibration_samples"),
            )
        if not 0 <= recipe.smooth_quant <= 1:
            raise RecordError(
                f"{where}: recipe '{key}': smooth_quant is {recipe.smooth_quant}; expected a number from 0 (off) to 1.",
                keys=("recipe", key, "smooth_quant"),
            )
    for index, entry in enumerate(entries):
        if tasks is not None:
            place = f"{where}: candidate '{entry.name}'"
            _check_words(entry.tasks or (), tasks, "tasks", place, "candidate", index)
    candidates = tuple(_candidate(file, entry, index, where) for index, entry in enumerate(entries))
    providers = [candidate.provider for candidate in candidates]
    for provider in file.provider_options:
        if provider not in providers:
            raise RecordError(
                f"{where}: provider_options: no candidate has the provider '{provider}'.",
                hint=nearest(provider, providers),
                keys=("provider_options", provider),
            )
    _check_baseline(next(candidate for candidate in candidates if candidate.name == baseline), where)
    target = Target(
        name=name,
        title=title,
        architecture=architecture,
        rung=rung,
        baseline=baseline,
        candidates=candidates,
        memory_bytes=_bytes(file.memory, where) if file.memory else 0,
    )
    return laid_over(target, file)


def _needed(value: V | None, key: str, where: str, *keys: str | int) -> V:
    if value is None:
        raise RecordError(f"{where}: the key '{key}' is missing.", keys=keys)
    return value


def _check_names(name: str, baseline: str, entries: Sequence[CandidateFile], where: str) -> None:
    names = [candidate.name for candidate in entries]
    for index, word in enumerate(names):
        if word in names[:index]:
            raise RecordError(f"{where}: two candidates have the name '{word}'.", keys=("candidate", index, "name"))
    if baseline not in names:
        raise RecordError(
            f"{where}: the baseline '{baseline}' is not a candidate.", hint=nearest(baseline, names), keys=("baseline",)
        )
    for index, word in enumerate((name, *names)):
        # Names of engines become names of folders in a package.
        if not set(word) <= _NAME_CHARACTERS or word.strip(".-_") != word or not word:
            raise RecordError(
                f"{where}: '{word}' is not a name; use letters, digits, '.', '-' and '_' between them.",
                keys=("candidate", index - 1, "name") if index else (),
            )


def _check_baseline(baseline: Candidate, where: str) -> None:
    some_processors = bool(baseline.without_isa or baseline.with_isa)
    if baseline.tasks or some_processors or baseline.quantized_only:
        some = "tasks" if baseline.tasks else "processors" if some_processors else "graphs"
        raise RecordError(
            f"{where}: the baseline '{baseline.name}' is for some {some} only; it must be for all.", keys=("baseline",)
        )
    if baseline.search_only:
        raise RecordError(
            f"{where}: the baseline '{baseline.name}' is for searches only; every build compares with it.",
            keys=("baseline",),
        )
    if baseline.recipe.method != "float":
        raise RecordError(
            f"{where}: the baseline '{baseline.name}' is {baseline.recipe.method}; everything is compared with float.",
            keys=("baseline",),
        )


def _check_hardware(file: TargetFile, where: str) -> None:
    _check_words(file.isa or (), KNOWN_FEATURES, "isa", where)
    for capability in file.compute_capabilities or ():
        if not _CAPABILITY.fullmatch(capability):
            raise RecordError(
                f"{where}: compute_capabilities: '{capability}' is not a compute capability such as '8.9'.",
                keys=("compute_capabilities",),
            )


def _check_words(words: Sequence[str], known: Collection[str], key: str, where: str, *keys: str | int) -> None:
    for word in words:
        if word not in known:
            raise RecordError(f"{where}: {key}: '{word}' is not known.", hint=nearest(word, known), keys=(*keys, key))


def _bytes(memory: str, where: str) -> int:
    found = _MEMORY.fullmatch(memory)
    if found is None or found.group(2) not in _UNITS:
        raise RecordError(
            f"{where}: memory: '{memory}' is not a size; expected a number and a unit, such as '8 GiB'.",
            hint=f"Units: {', '.join(_UNITS)}.",
            keys=("memory",),
        )
    return int(float(found.group(1)) * _UNITS[found.group(2)])


def _candidate(file: TargetFile, entry: CandidateFile, index: int, where: str) -> Candidate:
    at, place = ("candidate", index), f"{where}: candidate '{entry.name}'"
    numbered = f"{where}: candidate[{index}]"
    provider = _needed(entry.provider, "provider", numbered, *at)
    recipes = {"": _needed(entry.recipe, "recipe", numbered, *at), **(entry.component_recipes or {})}
    for component, wanted in recipes.items():
        if wanted not in file.recipe:
            raise RecordError(
                f"{place} asks for the unknown recipe '{wanted}'.",
                hint=nearest(wanted, file.recipe),
                keys=(*at, "component_recipes" if component else "recipe"),
            )
    _check_words(entry.without_isa or (), KNOWN_FEATURES, "without_isa", where, *at)
    _check_words(entry.with_isa or (), KNOWN_FEATURES, "with_isa", where, *at)
    found = laid_over(
        Candidate(
            name=entry.name,
            provider=provider,
            precision=_needed(entry.precision, "precision", numbered, *at),
            recipe=file.recipe[recipes.pop("")],
            component_recipes={component: file.recipe[recipe] for component, recipe in recipes.items()},
        ),
        entry,
        "recipe",
        "component_recipes",
    )
    if found.pad_to_multiple_of < 1:
        raise RecordError(
            f"{place}: pad_to_multiple_of is {found.pad_to_multiple_of}; 1 means no padding.",
            keys=(*at, "pad_to_multiple_of"),
        )
    if not 0 <= found.threads <= MOST_THREADS:
        raise RecordError(
            f"{place}: threads is {found.threads}; expected 1 to {MOST_THREADS:,}, or 0 for as many as the build says.",
            keys=(*at, "threads"),
        )
    _check_words((found.engine,), ENGINE_KINDS, "engine", place, *at)
    options = file.provider_options.get(provider, {}) if entry.provider_options is None else entry.provider_options
    if found.kind.plan:
        if not file.compute_capabilities:
            raise RecordError(
                f"{place} is a TensorRT plan, and the target has no compute_capabilities.", keys=(*at, "engine")
            )
        options = {"compute_capabilities": " ".join(file.compute_capabilities), **options}
    return dataclasses.replace(found, provider_options=options)
