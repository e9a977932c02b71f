"""Packages that are served, by name: what each takes and gives. Nothing is loaded for that."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgewright_runtime.applications.application import ApplicationPackage, is_application
from edgewright_runtime.package import Package
from edgewright_runtime.samples import (
    ARRAYS_INPUT,
    FILE_INPUTS,
    JSON_INPUTS,
    LATENT_INPUT,
    LIST_INPUTS,
    PLACE_INPUTS,
    ROW_INPUT,
    SERIES_INPUT,
    input_names,
)
from edgewright_targets.errors import InputError

APPLICATION = "application"
# The kind of the one input of models that take named arrays.
ARRAYS = "arrays"
# A name stands in addresses.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ENDINGS = (".tar", ".ortpackage")
_WRITERS = ("generate", "transcribe")
_SPEECH = "automatic-speech-recognition"
_VECTOR, _TEXT = "vector", "text"


@dataclass(frozen=True, kw_only=True)
class Served:
    """A package of a model or of an application, opened and checked.

    Attributes:
        name: How requests name it.
        package: It.
        task: Of its model, or `application`.
        inputs: Input -> its kind: `text`, `texts`, `audio`, `image`, `video`, `number`, `latent`, `row`, `series`,
            `box`, `points` or `arrays`.
        output: What its pipeline gives; of an application the names of its answers, joined by `+`.
        files_bytes: Bytes of the files that are read when it is loaded, at least.
    """

    name: str
    package: Package | ApplicationPackage
    task: str
    inputs: Mapping[str, str]
    output: str
    files_bytes: int

    @property
    def needed(self) -> tuple[str, ...]:
        """The inputs that every request has: all but places in a picture."""
        return tuple(name for name, kind in self.inputs.items() if kind not in PLACE_INPUTS)

    @property
    def writes(self) -> bool:
        """Whether it writes a text token by token, in pieces."""
        return isinstance(self.package, Package) and any(
            step.step in _WRITERS for step in self.package.manifest.pipeline.steps
        )

    @property
    def continues_texts(self) -> bool:
        """Whether it writes a text for a text."""
        return self.writes and dict(self.inputs) == {_TEXT: _TEXT}

    @property
    def transcribes(self) -> bool:
        """Whether it writes down what is said."""
        return self.task == _SPEECH

    @property
    def embeds_texts(self) -> bool:
        """Whether it gives the vector of a text."""
        if not isinstance(self.package, Package):
            return False
        alone = dict(self.inputs) == {_TEXT: _TEXT} and self.output == _VECTOR
        return alone or self.embeds_by_part

    @property
    def embeds_by_part(self) -> bool:
        """Whether the vector of a text is made by a part of its pipeline, as that of CLIP."""
        return isinstance(self.package, Package) and _TEXT in self.package.manifest.pipeline.parts


def open_served(words: Sequence[str]) -> dict[str, Served]:
    """Packages by name, in their order.

    Args:
        words: `PATH` or `NAME=PATH` of each; a path alone is named as its file, without `.ortpackage` and `.tar`.

    Raises:
        InputError: Two have one name, or a name cannot stand in an address.
        PackageError: A path is not a readable package.
    """
    found: dict[str, Served] = {}
    for word in words:
        name, path = _named(word)
        if not _NAME.fullmatch(name):
            raise InputError(
                f"'{name[:100]}' cannot be the name of a package in an address.",
                hint="Names have letters, digits, '.', '_' and '-'. Give it another one: NAME=PATH.",
            )
        if name in found:
            raise InputError(f"Two packages are named '{name}'.", hint=f"Name one of them: OTHER={path}")
        found[name] = _opened(name, path)
    return found


def _named(word: str) -> tuple[str, str]:
    name, equals, path = word.partition("=")
    if equals and not Path(word).exists():
        return name, path
    stem = Path(word).resolve().name
    for ending in _ENDINGS:
        stem = stem.removesuffix(ending)
    return stem, word


def _opened(name: str, path: str) -> Served:
    if is_application(path):
        application = ApplicationPackage.open(path)
        flow = application.checked.flow
        return Served(
            name=name,
            package=application,
            task=APPLICATION,
            inputs=dict(flow.input),
            output="+".join(flow.answer),
            # The largest, as its models are loaded when they are first needed.
            files_bytes=max((_files_bytes(one) for one in application.models.values()), default=0),
        )
    package = Package.open(path)
    pipeline = package.manifest.pipeline
    inputs = {one: _kind(one) for one in input_names(pipeline.input)}
    return Served(
        name=name,
        package=package,
        task=package.manifest.task,
        inputs={ARRAYS: ARRAYS} if pipeline.input == ARRAYS_INPUT else inputs,
        output=pipeline.output,
        files_bytes=_files_bytes(package),
    )


def _kind(name: str) -> str:
    if name in (*FILE_INPUTS, *PLACE_INPUTS, *JSON_INPUTS, LATENT_INPUT, ROW_INPUT, SERIES_INPUT):
        return name
    return "texts" if name in LIST_INPUTS else _TEXT


def _files_bytes(package: Package) -> int:
    """Of the engine that is tried first."""
    try:
        return sum(path.stat().st_size for path in package.engine_files(package.manifest.order[0]))
    except OSError:
        # Loading will say what is missing.
        return 0
