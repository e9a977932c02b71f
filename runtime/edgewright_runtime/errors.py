"""Errors of the runtime, split by what the caller can do about them."""

from __future__ import annotations

from edgewright_targets.errors import CheckFailedError, InputError


class PackageError(InputError):
    """The path is not a package, or not one that can be read: another path is needed."""


class PackageTooNewError(PackageError):
    """The package was written by a newer Edgewright: upgrade, or build it again."""


class DamagedPackageError(CheckFailedError):
    """The package was changed or cut off after it was built: get a fresh copy."""


class EngineUnavailableError(InputError):
    """An engine that was insisted on cannot run here: install its provider, or allow a fallback.

    Attributes:
        reason: Why, as a sentence that does not repeat which engine.
    """

    def __init__(self, message: str, *, hint: str = "", reason: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = message if reason is None else reason


class MemoryLimitError(InputError):
    """A model does not fit into the memory that an application may take: raise the limit, or take a smaller model."""


class InferenceError(InputError):
    """A graph failed when it ran, on inputs of its names, types and shapes."""


class SampleError(InputError):
    """The input of a call is not what this model takes."""


class EngineFallbackWarning(UserWarning):
    """Another engine runs than the one the package prefers; `model.engine.passed_over` says why."""


class OtherProcessorWarning(UserWarning):
    """The engine was judged on a processor whose integer kernels give other numbers than those of this one."""


class SampleWarning(UserWarning):
    """A sample is not answered as it is. One kind of it is one class, whose name travels with a worker's answers."""


class VideoWarning(SampleWarning):
    """A video is not answered as it is: it has fewer frames than the model takes."""


class AudioWarning(SampleWarning):
    """Audio was changed before the model heard it, in a way that a person may not expect: resampled, or cut."""


class SampleCutWarning(SampleWarning):
    """The input of a call was longer than the model takes, and a part of it was used."""
