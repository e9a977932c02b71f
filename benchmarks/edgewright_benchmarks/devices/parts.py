"""What is copied to a device: folders named by their content; none is sent twice, a copy goes on where it broke."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath

from edgewright_runtime import DamagedPackageError, Package
from edgewright_runtime.manifest import ASSET_FOLDER
from edgewright_runtime.package import EVIDENCE_FOLDER, MANIFEST
from edgewright_runtime.package_files import SUMS, file_digest, read_sums

_CHUNK = 1 << 20
# What of Edgewright runs on a device.
DEVICE_SIDE = ("edgewright_runtime", "edgewright_targets")
_ASSET = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class PartFile:
    """A file to be sent: where it is or what is in it, its bytes, its SHA-256."""

    content: Path | bytes
    size: int
    digest: str

    def blocks(self, offset: int) -> Iterator[bytes]:
        """Its bytes from `offset` on; exactly as many as its size says."""
        if isinstance(self.content, bytes):
            yield self.content[offset:]
            return
        left = self.size - offset
        with self.content.open("rb") as file:
            file.seek(offset)
            while left:
                block = file.read(min(_CHUNK, left))
                if not block:
                    # The stream must stay whole whatever happens to the file; the digest will tell.
                    block = bytes(min(_CHUNK, left))
                left -= len(block)
                yield block


@dataclass(frozen=True)
class Part:
    """A folder of files to be sent.

    Attributes:
        name: Of the folder there: what it is, and a digest of everything in it.
        files: By relative path.
        unpack: They are zip archives that are unpacked there.
    """

    name: str
    files: Mapping[str, PartFile]
    unpack: bool = False

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())

    @property
    def room(self) -> int:
        """Bytes on disk that it takes there."""
        if not self.unpack:
            return self.size
        inside = 0
        for file in self.files.values():
            assert isinstance(file.content, Path), "what is unpacked was a file here"
            with zipfile.ZipFile(file.content) as archive:
                inside += sum(entry.file_size for entry in archive.infolist())
        return self.size + inside

    def listing(self) -> dict[str, object]:
        """The part as the far end is told of it."""
        files = {path: [file.size, file.digest] for path, file in self.files.items()}
        return {"name": self.name, "files": files, "unpack": self.unpack}


def part_of(kind: str, files: Mapping[str, PartFile], *, unpack: bool = False) -> Part:
    """A part whose name follows from its content."""
    listing = sorted((path, file.digest) for path, file in files.items())
    return Part(f"{kind}-{hashlib.sha256(json.dumps(listing).encode()).hexdigest()[:32]}", dict(files), unpack)


def runtime_part() -> Part:
    """The device side of this very installation: both ends speak the same protocol by construction."""
    files: dict[str, PartFile] = {}
    for package in DEVICE_SIDE:
        with resources.as_file(resources.files(package)) as root:
            for path in sorted(root.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    relative = PurePosixPath(package) / PurePosixPath(path.relative_to(root))
                    files[str(relative)] = _bytes_file(path.read_bytes())
    return part_of("runtime", files)


def wheels_part(wheels: list[Path]) -> Part:
    """Wheels, unpacked there: a folder that Python can import from."""
    files = {path.name: PartFile(path, path.stat().st_size, file_digest(path)) for path in wheels}
    return part_of("wheels", files, unpack=True)


def package_part(package: Package, target: str) -> Part:
    """What the engines for one target need, as a package of its own.

    Engines for other targets stay behind with what only they need, and so does the evidence. Digests are those that the
    package lists, so a file that changed since the build is noticed on the device.

    Raises:
        DamagedPackageError: The package has no digests, or not for this manifest.
    """
    sums = read_sums(package.root, str(package.root))
    manifest = (package.root / MANIFEST).read_bytes()
    if sums.get(MANIFEST) != hashlib.sha256(manifest).hexdigest():
        raise DamagedPackageError(
            f"The package '{package.root}' is damaged: these files changed after the build: {MANIFEST}.",
            hint="Copy it again from where it was built, or build it again.",
        )
    data = json.loads(manifest)
    dropped = [name for name, spec in package.manifest.engines.items() if spec.target != target]
    specs = [package.manifest.engines[name] for name in dropped]
    folders = [str(PurePosixPath(part.model_file).parent) for spec in specs for part in spec.parts.values()]
    ours = data["additional_metadata"]["edgewright"]
    ours["order"] = list(package.manifest.engines_for(target))
    ours["baselines"] = {target: package.manifest.baselines[target]}
    for name in dropped:
        for component in data["components"].values():
            del component["variants"][name]
    listed = data.pop("shared_assets", {})
    assets = set(_ASSET.findall(json.dumps(data)))
    data["shared_assets"] = {uri: value for uri, value in listed.items() if uri.removeprefix("sha256:") in assets}
    files: dict[str, PartFile] = {}
    for path, digest in sums.items():
        if path == MANIFEST or path.startswith((f"{EVIDENCE_FOLDER}/", *(f"{folder}/" for folder in folders))):
            continue
        if path.startswith(f"{ASSET_FOLDER}/") and path.split("/")[1].removeprefix("sha256-") not in assets:
            continue
        file = package.file(path)
        if not file.is_file():
            raise DamagedPackageError(f"The package '{package.root}' is damaged: these files are missing: {path}.")
        files[path] = PartFile(file, file.stat().st_size, digest)
    files[MANIFEST] = _bytes_file(json.dumps(data, indent=2).encode())
    lines = "".join(f"{files[path].digest}  {path}\n" for path in sorted(files))
    files[SUMS] = _bytes_file(lines.encode())
    return part_of("package", files)


def _bytes_file(content: bytes) -> PartFile:
    return PartFile(content, len(content), hashlib.sha256(content).hexdigest())
