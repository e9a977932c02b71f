"""The package folder that a build writes: checked before work begins, filled aside, replaced in one step."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.cache import StageCache, digest_of, sync_tree
from edgewright_runtime.package import MANIFEST, SUMS, Package, file_digest
from edgewright_targets import EdgewrightError, InputError

if TYPE_CHECKING:
    from edgewright_benchmarks.result import Result
    from edgewright_compiler.assemble import EngineFiles
    from edgewright_runtime.manifest import Manifest

_SUFFIX = ".tmp"


class OutputFolder:
    """Where a package goes.

    Raises:
        InputError: Something else lies there, or the place cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        parent = path.absolute().parent
        if path.is_symlink() or path.is_file() or (path.is_dir() and any(path.iterdir()) and not _is_package(path)):
            raise InputError(
                f"'{path}' exists and is no package folder; it is not overwritten.", hint="Choose another -o."
            )
        if not parent.is_dir():
            raise InputError(f"'{path}' cannot be written: there is no folder '{parent}'.")
        # Tried, not asked: permission bits say nothing about read-only mounts, nor to root.
        try:
            with tempfile.TemporaryFile(dir=parent):
                pass
        except OSError as error:
            raise InputError(f"'{path}' cannot be written: {error.strerror} ('{parent}').") from error

    def holds(self, key: str, cache: StageCache) -> bool:
        """Whether the package of the build called `key` is here, whole and unchanged."""
        try:
            record = json.loads(self._record(cache).read_text(encoding="utf-8"))
            if record != {"key": key, "sums": file_digest(self.path / SUMS)}:
                return False
            Package.open(self.path).check_digests()
        except (OSError, ValueError, EdgewrightError):
            return False
        return True

    @contextlib.contextmanager
    def reserved(self) -> Iterator[None]:
        """Turn a full disk during the block into a clear error."""
        try:
            yield
        except OSError as error:
            import errno

            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
                raise
            where = error.filename or self.path
            raise InputError(
                f"Writing failed: {error.strerror} ('{where}'). Nothing was left at '{self.path}' by this build.",
                hint="Free some space ('edgewright cache clear'), or set XDG_CACHE_HOME to a larger disk.",
            ) from error

    def fill(
        self,
        key: str,
        manifest: Manifest,
        component: Path,
        engines: Sequence[EngineFiles],
        measured: Path,
        result: Result,
        cache: StageCache,
    ) -> None:
        """Assemble the final package aside, then give it its name."""
        import dataclasses

        from edgewright_compiler.assemble import EngineFiles, assemble, publish
        from edgewright_compiler.measure import read_measured

        found = read_measured(measured)
        by_name = {engine.spec.name: engine for engine in engines}
        chosen = []
        for name in manifest.order:
            spec = dataclasses.replace(by_name[name].spec, tolerance=found.tolerance(name))
            chosen.append(EngineFiles(spec, by_name[name].folder))
        with self._aside() as folder:
            assemble(folder, manifest, component, chosen, golden=found.golden, evidence=result)
            sync_tree(folder)
            sums = file_digest(folder / SUMS)
            publish(folder, self.path)
        record = self._record(cache)
        record.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=record.parent, delete=False, encoding="utf-8") as file:
            json.dump({"key": key, "sums": sums}, file)
        Path(file.name).replace(record)

    def write_archive(self) -> Path:
        """The package as one file beside it; gives its path."""
        from edgewright_runtime.archive import write_archive

        archive = self.path.with_name(f"{self.path.name}.tar")
        write_archive(self.path, archive)
        return archive

    def _record(self, cache: StageCache) -> Path:
        # Kept outside the package, whose bytes are the same wherever it was built.
        return cache.root / "built" / f"{digest_of({'output': str(self.path.absolute())})}.json"

    @contextlib.contextmanager
    def _aside(self) -> Iterator[Path]:
        parent = self.path.absolute().parent
        prefix = f".{self.path.name}."
        for stale in parent.glob(f"{prefix}*{_SUFFIX}*"):
            owner = stale.name.removeprefix(prefix).split("-")[0]
            if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                shutil.rmtree(stale, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", suffix=_SUFFIX, dir=parent))
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _is_package(path: Path) -> bool:
    return (path / MANIFEST).is_file()
