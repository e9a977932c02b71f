"""A package on disk: a checked, immutable view of the folder. Nothing in it is executed or unpickled.

The folder holds `manifest.json` (ONNX Runtime's), the engines, `shared_assets/sha256-*` and `edgewright/` with golden
samples and evidence; `SHA256SUMS` lists every other file, in the form that `sha256sum -c` reads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edgewright_runtime.errors import PackageError
from edgewright_runtime.manifest import ASSET_FOLDER, EnginePart, Manifest
from edgewright_runtime.manifest_file import MANIFEST_LIMIT_BYTES, read_manifest
from edgewright_runtime.options import ASSET_URI
from edgewright_runtime.package_files import (
    SUMS,
    FileTooLargeError,
    check_digests,
    checked_folder,
    checked_path,
    file_digest,
    folder_bytes,
    read_limited,
    read_sums,
)

MANIFEST = "manifest.json"
# In its place: several packages as one application.
APPLICATION = "application.json"
EVIDENCE_FOLDER = "edgewright/evidence"
GOLDEN = "edgewright/golden.npz"
# Evidence holds every timed call of every engine.
_EVIDENCE_LIMIT_BYTES = 256 * 2**20
# Manifests are smaller, weights are not.
_SMALL_BYTES = 2**20


@dataclass(frozen=True)
class Package:
    """An opened package; make one with `Package.open`."""

    root: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: str | Path) -> Package:
        """Open a package folder, or an archive of one (unpacked into the cache once).

            >>> from edgewright_runtime import Package
            >>> package = Package.open("intents.ortpackage")
            >>> package.manifest.task
            'text-classification'

        Raises:
            PackageError: No package there, or not a readable one.
            PackageTooNewError: Written in a newer format.
            DamagedPackageError: An archive whose content does not have the digests it lists.
        """
        root = package_folder(path)
        return cls(root, read_manifest(_read_manifest_file(root), str(path)))

    def file(self, relative: str) -> Path:
        """The path of a file that the package names; checked to lie inside it.

        Raises:
            PackageError: The name is absolute, leaves the package, or goes through a link.
        """
        return checked_path(self.root, relative)

    def resolve(self, value: str) -> str:
        """An option's value with an asset URI (`sha256:<hex>/...`) replaced by the absolute path of the asset."""
        return str(self.file(asset_path(value)).resolve()) if ASSET_URI.fullmatch(value) else value

    def checked_graph(self, part: EnginePart) -> Path:
        """The file of a component's graph, where all files that a native library opens with it are plain ones.

        Raises:
            PackageError: One is a link, a pipe or a device, or a folder is missing.
        """
        graph = self.file(part.model_file)
        folders = [self.asset(uri) for uri in part.session_options.values() if ASSET_URI.fullmatch(uri)]
        try:
            for folder in (graph.parent, *folders):
                checked_folder(folder, str(self.root))
        except OSError as error:
            raise PackageError(f"'{self.root}': a folder of an engine cannot be read: {error}.") from error
        return graph

    def asset(self, uri: str) -> Path:
        """The path of the shared asset called `uri`, or of a file inside it."""
        return self.file(asset_path(uri))

    def evidence(self, target: str) -> Any:
        """The evidence for a target as parsed JSON; `edgewright_benchmarks.result.result_from_json` gives it types.

        Raises:
            PackageError: The file is missing, or cannot be read.
        """
        path = self.file(f"{EVIDENCE_FOLDER}/{target}.json")
        try:
            return json.loads(read_limited(path, _EVIDENCE_LIMIT_BYTES))
        except (OSError, ValueError, RecursionError, FileTooLargeError) as error:
            raise PackageError(f"{self.root}: the evidence for '{target}' cannot be read: {error}.") from error

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets it was built for, in the order of its engines."""
        return tuple(self.manifest.baselines)

    def is_as_sealed(self) -> bool:
        """Whether its manifests and other small files are those that were packed. A package in the making is not."""
        try:
            sums = read_sums(self.root, str(self.root))
            small = [path for path in self.root.rglob("*") if path.is_file() and path.stat().st_size <= _SMALL_BYTES]
            names = {str(PurePosixPath(path.relative_to(self.root))): path for path in small if path.name != SUMS}
            return all(sums.get(name) == file_digest(path) for name, path in names.items())
        except (PackageError, OSError):
            return False

    def size_bytes(self) -> int:
        """Bytes of all files."""
        return folder_bytes(self.root)

    def engine_files(self, name: str) -> tuple[Path, ...]:
        """The files that the engine called `name` needs: its graphs and the shared assets its options point at."""
        parts = self.manifest.engines[name].parts
        return tuple(dict.fromkeys(path for component in parts for path in self.part_files(name, component)))

    def part_files(self, name: str, component: str) -> tuple[Path, ...]:
        """The same for one component of it."""
        part = self.manifest.engines[name].parts[component]
        files = [self.file(part.model_file)]
        for value in part.session_options.values():
            if ASSET_URI.fullmatch(value):
                files.extend(sorted(self.asset(value).iterdir()))
        return tuple(files)

    def digests(self) -> dict[str, str]:
        """File to its SHA-256 as the package lists them; whether they are true, `check_digests` says."""
        return read_sums(self.root, str(self.root))

    def check_digests(self) -> int:
        """Compare every file with `SHA256SUMS`; see the function of this name."""
        return check_digests(self.root, str(self.root))


def package_folder(path: str | Path, *, check: bool = False) -> Path:
    """The folder of a package: `path` itself, or where the archive at `path` is unpacked.

    Args:
        path: Folder or archive.
        check: Read a whole archive again even where it was unpacked before.
    """
    root = Path(path)
    if root.is_file():
        # Here and not above: opening a folder takes neither tarfile nor OpenSSL.
        from edgewright_runtime.archive import unpacked

        root = unpacked(root, check=check)
    return root


def _read_manifest_file(root: Path) -> bytes:
    path = root / MANIFEST
    try:
        return read_limited(path, MANIFEST_LIMIT_BYTES)
    except FileTooLargeError as error:
        raise PackageError(f"'{root}': {error}; this is not a manifest.") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        if (root / APPLICATION).is_file():
            raise PackageError(
                f"'{root}' is an application of several models; the package of one model is expected here.",
                hint=f"Its models are packages: pass one of the folders in '{root / 'models'}'.",
            ) from error
        found = "there is nothing at that path" if not root.exists() else f"it has no {MANIFEST}"
        raise PackageError(
            f"'{root}' is not a package: {found}.", hint="Make one with 'edgewright build ... -o NAME.ortpackage'."
        ) from error
    except OSError as error:
        raise PackageError(f"'{path}' cannot be read: {error}.") from error


def asset_path(uri: str) -> str:
    """Where the asset called `uri` lies in a package (`sha256:ab..` is `shared_assets/sha256-ab..`)."""
    match = ASSET_URI.fullmatch(uri)
    if match is None:
        raise PackageError(f"{uri[:100]!r} is not an asset URI; expected sha256:<64 hex digits>.")
    return f"{ASSET_FOLDER}/sha256-{match.group(1)}{match.group(2)}"
