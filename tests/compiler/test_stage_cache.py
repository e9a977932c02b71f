"""Stages in the cache: a damaged one is made anew, and a key holds all that decides what is in the stage."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgewright_benchmarks.data import Dataset
from edgewright_compiler.building.candidate_graphs import Graphs
from edgewright_compiler.cache import StageCache
from edgewright_runtime.manifest import PipelineSpec

CONTENT = b"weights of a stage"


def _make(folder: Path) -> None:
    (folder / "weights").mkdir()
    (folder / "weights" / "0.bin").write_bytes(CONTENT)
    (folder / "exported.json").write_text("{}")


def _flipped(folder: Path) -> None:
    (folder / "weights" / "0.bin").write_bytes(bytes([CONTENT[0] ^ 1]) + CONTENT[1:])


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": lambda folder: (folder / "exported.json").unlink(),
    "empty": lambda folder: (folder / "exported.json").write_bytes(b""),
    "cut": lambda folder: (folder / "weights" / "0.bin").write_bytes(CONTENT[:5]),
    "flipped": _flipped,
    "more": lambda folder: (folder / "other.json").touch(),
    "digest gone": lambda folder: folder.with_name(f"{folder.name}.sha256").unlink(),
    "digest no text": lambda folder: folder.with_name(f"{folder.name}.sha256").write_bytes(b"\xff"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_stage_is_made_anew(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    cache, seen = StageCache(tmp_path), list[Path]()
    folder, cached = cache.get("export", {"a": 1}, _make, damaged=seen.append)
    assert not cached
    assert cache.get("export", {"a": 1}, _make, damaged=seen.append) == (folder, True)
    damage(folder)
    assert cache.get("export", {"a": 1}, _make, damaged=seen.append) == (folder, False)
    assert seen == [folder]
    assert (folder / "weights" / "0.bin").read_bytes() == CONTENT
    assert sorted(path.name for path in folder.iterdir()) == ["exported.json", "weights"]
    assert cache.get("export", {"a": 1}, _make, damaged=seen.append) == (folder, True)


def test_clear_leaves_no_digests(tmp_path: Path) -> None:
    cache = StageCache(tmp_path)
    folder, _ = cache.get("export", {}, _make)
    cache.clear()
    assert list(folder.parent.iterdir()) == []


def test_keys_hold_the_number_of_samples(tmp_path: Path) -> None:
    """A part of a file has the digest of the file, so other samples must not take what the first ones gave."""
    keys: list[dict[str, Any]] = []

    class AskedError(Exception):
        pass

    def stage(name: str, title: str, parts: dict[str, Any], make: Callable[[Path], None]) -> Path:
        keys.append(parts)
        raise AskedError(name)

    data = Dataset(name="data.npz", digest="digest", samples=tuple(np.arange(8)), labels=None)
    for inputs in (data, data.part(3)):
        maker: Any = SimpleNamespace(job=SimpleNamespace(inputs=inputs), stage=stage)
        exported: Any = SimpleNamespace(pipeline=PipelineSpec("arrays", "logits", ()), graphs={"model": None})
        graphs = Graphs(maker, tmp_path, exported)
        with pytest.raises(AskedError, match="shapes"):
            graphs.shapes()
        with pytest.raises(AskedError, match="reference"):
            graphs.tolerance({"model": tmp_path})
    assert keys[0] != keys[2]
    assert keys[1] != keys[3]
