"""Target files: what they say, each read strictly and laid over the target that it extends.

Where a file does not say something, the file of the target that it extends does. Recipes add up by name. Where a file
lists candidates, they are all that the target has, in that order; each says only what is different from the candidate
of the same name in the extended target.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TypeVar

from edgewright_targets.declared import read_declared
from edgewright_targets.errors import nearest
from edgewright_targets.recipe import Recipe
from edgewright_targets.record import RecordError
from edgewright_targets.target import Rung
from edgewright_targets.toml_lines import with_line

T = TypeVar("T")

# Files that targets extend and that are not targets themselves begin so.
_SHARED = "_"


@dataclass(frozen=True, kw_only=True)
class CandidateFile:
    """A candidate as a file says it, see `Candidate`; None is what the file does not say.

    Attributes:
        recipe: Name of the recipe.
        component_recipes: Component to the name of another recipe for it.
    """

    name: str
    provider: str | None = None
    precision: str | None = None
    recipe: str | None = None
    component_recipes: dict[str, str] | None = None
    pad_to_multiple_of: int | None = None
    session_options: dict[str, str] | None = None
    provider_options: dict[str, str] | None = None
    engine: str | None = None
    allow_partial: bool | None = None
    tasks: tuple[str, ...] | None = None
    without_isa: tuple[str, ...] | None = None
    with_isa: tuple[str, ...] | None = None
    quantized_only: bool | None = None
    search_only: bool | None = None
    threads: int | None = None
    fixed_axes: bool | None = None


@dataclass(frozen=True, kw_only=True)
class TargetFile:
    """A target as a file says it, see `Target`; None is what the file does not say.

    Attributes:
        extends: Target that says what this file does not.
        recipe: Recipes by name.
        candidate: Candidates, the preferred first.
        provider_options: Provider to the options of all its candidates that say none of their own.
        memory: Size with its unit, such as `8 GiB`.
    """

    extends: str | None = None
    title: str | None = None
    architecture: str | None = None
    rung: Rung | None = None
    baseline: str | None = None
    recipe: dict[str, Recipe] = field(default_factory=dict)
    candidate: tuple[CandidateFile, ...] | None = None
    provider_options: dict[str, dict[str, str]] = field(default_factory=dict)
    cores: int | None = None
    emulated_cpu: str | None = None
    machine_model: str | None = None
    isa: tuple[str, ...] | None = None
    compute_capabilities: tuple[str, ...] | None = None
    memory: str | None = None
    vulkan_gpu: bool | None = None


@cache
def target_names() -> tuple[str, ...]:
    """Names of the targets that come with Edgewright, sorted; `host` stands for one of them and is not listed."""
    return tuple(name for name in _own_names() if not name.startswith(_SHARED))


@cache
def _own_names() -> tuple[str, ...]:
    files = resources.files("edgewright_targets").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def own_text(name: str) -> str:
    """The text of a target's file that comes with Edgewright."""
    return (resources.files("edgewright_targets") / f"{name}.toml").read_text(encoding="utf-8")


def read_file(text: str, where: str) -> TargetFile:
    """What the TOML `text` says, with what it does not say taken from the target that it extends.

    Raises:
        RecordError: It, or a file that it extends, is wrong; the message begins with the file and the line.
    """
    file = read_declared(TargetFile, "target", text, where)
    if file.extends is None:
        return file
    if file.extends not in _own_names():
        error = RecordError(
            f"{where}: it extends the unknown target {file.extends!r}.",
            hint=nearest(file.extends, target_names()),
            keys=("extends",),
        )
        raise with_line(error, text, where)
    return _extended(read_file(own_text(file.extends), f"{file.extends}.toml"), file)


def _extended(below: TargetFile, file: TargetFile) -> TargetFile:
    """What `file` says, with the rest from `below`."""
    known = {candidate.name: candidate for candidate in below.candidate or ()}
    candidates = file.candidate and tuple(laid_over(known.get(one.name, one), one) for one in file.candidate)
    if candidates is None:
        candidates = below.candidate
    # Options of a provider that only the other file's candidates have do not come along.
    providers = {candidate.provider for candidate in candidates or ()}
    inherited = {name: options for name, options in below.provider_options.items() if name in providers}
    return dataclasses.replace(
        laid_over(below, file),
        recipe={**below.recipe, **file.recipe},
        candidate=candidates,
        provider_options={**inherited, **file.provider_options},
    )


def laid_over(record: T, file: object, *but: str) -> T:
    """The record with the values that `file` has for its fields, those called `but` left as they are."""
    names = [entry.name for entry in dataclasses.fields(record) if entry.name not in but]  # type: ignore[arg-type]
    values = {name: value for name in names if (value := getattr(file, name, None)) is not None}
    return dataclasses.replace(record, **values)  # type: ignore[type-var]
