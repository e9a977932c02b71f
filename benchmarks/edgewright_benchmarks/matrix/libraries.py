"""Libraries of the device, and the versions of them that a person asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from edgewright_benchmarks.devices.wheels import needed
from edgewright_runtime import Package
from edgewright_runtime.providers import PLUGINS, PROVIDERS
from edgewright_runtime.steps import STEPS
from edgewright_targets import InputError
from edgewright_targets.errors import nearest

# Of 1.31.1 all three numbers are needed to say which release it is; fewer are the beginning of several.
_EXACT_NUMBERS = 3
# The plugin of TensorRT for RTX is two wheels.
_BESIDE = {"tensorrt_rtx_cu13_libs": ("tensorrt_rtx_cu13_bindings",)}


@dataclass(frozen=True)
class AskedVersion:
    """A version as a person wrote it: one release, or the newest that begins with these numbers.

    >>> AskedVersion.parse("onnxruntime", "1.31").fits("1.31.1"), AskedVersion.parse("onnxruntime", "1.31").exact
    (True, False)
    """

    library: str
    text: str
    version: Version

    @classmethod
    def parse(cls, library: str, text: str) -> AskedVersion:
        """Read one.

        Raises:
            InputError: It is not a version.
        """
        try:
            return cls(library, text, Version(text))
        except InvalidVersion:
            raise InputError(
                f"'{text[:80]}' is not a version of {library}.",
                hint="Name versions with commas between them, such as 1.31,1.32 or 1.31.0,1.31.1.",
            ) from None

    @property
    def exact(self) -> bool:
        """Whether it names one release, and not the newest of several."""
        version = self.version
        plain = not (version.is_prerelease or version.is_postrelease or version.local)
        return not plain or len(version.release) >= _EXACT_NUMBERS

    def fits(self, version: str) -> bool:
        """Whether a release is what was asked for; of several numbers alone, no release before the final one is."""
        found = Version(version)
        if self.exact:
            return found == self.version
        return not found.is_prerelease and found.release[: len(self.version.release)] == self.version.release


def asked_versions(library: str, text: str) -> tuple[AskedVersion, ...]:
    """Versions of one library, from text with commas between them; each once.

    Raises:
        InputError: One is not a version, or there is none; or nobody knows the library, then the known ones are listed.
    """
    known = {canonicalize_name(name): name for name in (*needed(STEPS), *PLUGINS)}
    name = known.get(canonicalize_name(library))
    if name is None:
        raise InputError(
            f"'{library[:80]}' is not a library that packages use on a device.", hint=nearest(library, known.values())
        )
    words = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words:
        raise InputError(f"No version of {name} is named.", hint=f"Name some, such as {name}=1.0,1.1.")
    return tuple(AskedVersion.parse(name, word) for word in words)


def libraries_of(package: Package, engine: str) -> tuple[str, ...]:
    """All libraries that one engine of a package needs on a device, with what its steps need."""
    plugin = PROVIDERS[package.manifest.engines[engine].provider].plugin
    plugins = (plugin, *_BESIDE.get(plugin, ())) if plugin else ()
    return (*needed(package.manifest.pipeline.step_names()), *plugins)


def check_used(asked: Iterable[str], used: Iterable[str], engine: str) -> None:
    """Raise where a version of a library is asked for that the package does not use.

    Raises:
        InputError: It is not used, so that every version would give the same; the libraries that are used are listed.
    """
    names = tuple(used)
    for library in asked:
        if library not in names:
            raise InputError(
                f"The package does not use {library}: every version would give the same.",
                hint=f"Engine '{engine}' uses {', '.join(names)}.",
            )


def words_of(versions: Mapping[str, str]) -> str:
    """Libraries with their versions in words: `onnxruntime 1.31.1, tokenizers 0.22.1`."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())
