"""From the ONNX graph of an engine to a session of OpenVINO; what it compiled is kept on this device.

Under the cache folder, each under a key of everything that it depends on:

    openvino/<key>/model.blob, model.json

A package names none of these files, and OpenVINO's own cache is never used: it does not look whether a file is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_runtime.aside import folder_aside
from edgewright_runtime.cache_folder import BLOBS, cache_folder
from edgewright_runtime.options import EXTERNAL_WEIGHTS_KEY
from edgewright_runtime.ov import DEVICE, OpenVinoError, core, load_module, words
from edgewright_runtime.ov.session import OpenVinoSession
from edgewright_runtime.package_files import file_digest
from edgewright_targets.host import host_facts
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_runtime.manifest import EnginePart
    from edgewright_runtime.package import Package

BLOB_FILE, FACTS_FILE = "model.blob", "model.json"
# A search makes many engines: of all blobs those that were used last are kept, up to so many bytes.
MOST_BYTES = 4 * 2**30


@dataclass(frozen=True, kw_only=True)
class BlobKey:
    """What a compiled graph depends on.

    Attributes:
        graph: SHA-256 of the ONNX file.
        weights: Name of a file of weights to its SHA-256.
        openvino: Version of OpenVINO.
        settings: OpenVINO's properties.
        machine: Architecture, name and instruction sets of the processor.
    """

    graph: str
    weights: dict[str, str]
    openvino: str
    settings: dict[str, str]
    machine: tuple[str, ...]

    def digest(self) -> str:
        """Name of its folder."""
        return hashlib.sha256(json.dumps(write_record(self), sort_keys=True).encode()).hexdigest()


def open_session(package: Package, part: EnginePart, provider: str, threads: int) -> OpenVinoSession:
    """A component of an engine, compiled for this machine or taken from the cache.

    Args:
        package: The package.
        part: The component.
        provider: Name of the provider, for what says which nodes run where.
        threads: Threads of a call.

    Raises:
        PackageError: A file of the component is not a plain one, or missing.
        OpenVinoError: OpenVINO refuses the graph.
        ImportError: OpenVINO cannot be loaded.
    """
    graph = package.checked_graph(part)
    asset = part.session_options.get(EXTERNAL_WEIGHTS_KEY)
    weights = sorted(package.asset(asset).iterdir()) if asset else []
    settings = {**part.provider_options, "INFERENCE_NUM_THREADS": str(threads)}
    key = _key(graph, weights, settings)
    stored = _stored(key)
    blob = None
    if stored is None:
        try:
            with _readable(graph, weights) as path:
                compiled = core().compile_model(core().read_model(str(path)), DEVICE, settings)
        except RuntimeError as error:
            raise OpenVinoError(words(error)) from error
        _store(key, compiled)
    else:
        compiled, blob = stored
    return OpenVinoSession(compiled, graph, provider, memory=blob)


def _key(graph: Path, weights: list[Path], settings: Mapping[str, str]) -> BlobKey:
    machine = host_facts()
    return BlobKey(
        # Of the files themselves: a package that lists other digests would leave its blob for another package.
        graph=file_digest(graph),
        weights={path.name: file_digest(path) for path in weights},
        openvino=str(load_module().get_version()),
        settings=dict(settings),
        machine=(machine.architecture, machine.cpu, *machine.features),
    )


def blob_folder(key: BlobKey) -> Path:
    """Where a blob of this key is stored."""
    return cache_folder() / BLOBS / key.digest()


def _stored(key: BlobKey) -> tuple[Any, Any] | None:
    """The compiled model that is stored under `key`, and the memory that it reads its weights from.

    None where there is none that is whole as it was written.
    """
    import numpy as np

    folder = blob_folder(key)
    try:
        facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        blob = folder / BLOB_FILE
        if facts["key"] != json.loads(json.dumps(write_record(key))) or file_digest(blob) != facts["sha256"]:
            return None
        # Copied on write: OpenVINO takes no memory that cannot be written.
        mapped = load_module().Tensor(np.memmap(blob, dtype=np.uint8, mode="c"), shared_memory=True)
        compiled = core().import_model(mapped, DEVICE, key.settings)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        # Also where OpenVINO does not take what it wrote: it is made anew.
        return None
    with contextlib.suppress(OSError):
        os.utime(folder)
    return compiled, mapped


def _store(key: BlobKey, compiled: Any) -> None:
    """Keep a compiled model for the next start; without a place to keep it, or where it cannot be written, nothing."""
    folder = blob_folder(key)
    try:
        blob = compiled.export_model()
        content = blob.getbuffer() if hasattr(blob, "getbuffer") else memoryview(blob)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if len(content) > MOST_BYTES or len(content) > shutil.disk_usage(folder.parent).free // 2:
            return
        with folder_aside(folder.parent, ".blob-") as made:
            (made / BLOB_FILE).write_bytes(content)
            facts = {"key": write_record(key), "sha256": hashlib.sha256(content).hexdigest()}
            (made / FACTS_FILE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
            # A damaged one is in the way; where another process was faster, its own is as good.
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
        _forget_oldest(folder.parent)
    except (OSError, RuntimeError):
        return


def _forget_oldest(parent: Path) -> None:
    """Remove the blobs that were used longest ago, beyond `MOST_BYTES` of all."""
    found = []
    for folder in parent.iterdir():
        with contextlib.suppress(OSError):
            found.append((folder.stat().st_mtime, (folder / BLOB_FILE).stat().st_size, folder))
    total = 0
    for _, size, folder in sorted(found, reverse=True):
        total += size
        if total > MOST_BYTES:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _readable(graph: Path, weights: list[Path]) -> Iterator[Path]:
    """The graph where OpenVINO finds its weights: beside it, and not behind a link."""
    if not weights:
        yield graph
        return
    parent = cache_folder() / BLOBS
    try:
        parent.mkdir(parents=True, exist_ok=True)
        writable = os.access(parent, os.W_OK)
    except OSError:
        writable = False
    with folder_aside(parent if writable else Path(tempfile.gettempdir()), ".edgewright-graph-") as folder:
        for path in (graph, *weights):
            try:
                (folder / path.name).hardlink_to(path)
            except FileExistsError as error:
                raise OpenVinoError(f"Its graph and its weights have the same name, '{path.name}'.") from error
            except OSError:
                # Another disk, or one without links, or somebody else's file.
                shutil.copyfile(path, folder / path.name)
        yield folder / graph.name
