"""Samples of every kind through the wire and the golden file, and what a package must not make its reader do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgewright_runtime import PackageError, SampleError
from edgewright_runtime.samples import named_values, pack_answer, size_of, unpack_answer
from edgewright_runtime.selftest import GoldenSample, golden_samples, write_golden
from edgewright_runtime.wire import pack_samples, unpack_samples

FEEDS = {"pixels": np.arange(6, dtype=np.float32).reshape(1, 2, 3)}


def equal(left: Any, right: Any) -> bool:
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(left[name], right[name]) for name in left)
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(left, right)
    return bool(left == right and type(left) is type(right))


def kinds(folder: Path) -> list[Any]:
    photo = folder / "photo.jpg"
    photo.write_bytes(b"\xff\xd8 a photo")
    return [
        "a text",
        dict(FEEDS),
        photo,
        b"bytes of a file",
        np.arange(4, dtype=np.uint8),
        {"image": photo, "question": "what is it?", "choices": ["a", "b"], "seed": 3},
    ]


def test_through_the_wire(tmp_path: Path) -> None:
    samples = kinds(tmp_path)
    here = unpack_samples(*pack_samples(samples))
    assert all(equal(*pair) for pair in zip(samples, here, strict=True))
    # As another machine gets them: files as their bytes.
    plain, arrays = pack_samples(samples, paths=False)
    there = unpack_samples(json.loads(json.dumps(plain)), arrays)
    assert there[2] == samples[2].read_bytes()
    assert there[5] == {**samples[5], "image": samples[2].read_bytes()}


def test_through_the_golden_file(tmp_path: Path) -> None:
    samples = kinds(tmp_path)
    write_golden(tmp_path / "golden.npz", [GoldenSample(sample, FEEDS, {}) for sample in samples])
    found = golden_samples(tmp_path / "golden.npz")
    assert equal(found[1].sample, FEEDS)
    assert found[2].sample == samples[2].read_bytes()
    assert found[0].sample == samples[0]
    assert found[5].sample["question"] == "what is it?"
    assert all(equal(entry.feeds, FEEDS) for entry in found)


@pytest.mark.parametrize("packed", [{"path": "/etc/passwd"}, {"bytes": "1/none"}, {"other": 1}, {}, {"named": 3}])
def test_a_golden_file_that_asks_for_something_else(tmp_path: Path, packed: Any) -> None:
    path = tmp_path / "golden.npz"
    np.savez(path, samples=np.frombuffer(json.dumps([packed]).encode(), dtype=np.uint8))
    with pytest.raises(PackageError, match="golden sample 0 cannot be read"):
        golden_samples(path)


def test_named_values() -> None:
    assert named_values("a", "text") == {"text": "a"}
    assert named_values({"question": "q", "context": "c"}, "question+context") == {"question": "q", "context": "c"}
    with pytest.raises(SampleError, match="context is missing"):
        named_values({"question": "q"}, "question+context")
    with pytest.raises(SampleError, match="a dict with question and context; found str"):
        named_values("q", "question+context")
    with pytest.raises(SampleError, match="takes named arrays; found str"):
        named_values("q", "*")


def test_sizes_and_answers(tmp_path: Path) -> None:
    photo = kinds(tmp_path)[2]
    assert size_of({"image": photo, "question": "four"}) == photo.stat().st_size + 4
    assert size_of(FEEDS["pixels"]) == 24
    for answer in (FEEDS["pixels"], {"mask": FEEDS["pixels"], "segments": [{"label": "sky", "share": 0.5}]}):
        found = unpack_answer(pack_answer(answer))
        assert np.array_equal(found["mask"] if isinstance(answer, dict) else found, FEEDS["pixels"])
        assert not isinstance(answer, dict) or found["segments"] == answer["segments"]
