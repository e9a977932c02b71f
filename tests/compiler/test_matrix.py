"""`edgewright matrix`: one package with several versions of the libraries of a device, in real environments."""

import json
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from command import Command, leftovers
from edgewright_benchmarks.matrix.releases import released
from tiny_wheels import find_nothing_else, write_wheel

HERE = metadata.version("onnxruntime")
# A release from before the one that Edgewright asks for.
OTHER = "1.31.1"
_ROUNDS = ("--rounds", "6", "--calls", "4")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """pip finds what lies in this empty folder, and nothing else."""
    find_nothing_else(monkeypatch, tmp_path)
    yield tmp_path
    released.cache_clear()


@pytest.mark.slow
def test_two_versions_side_by_side_and_again_without_a_network(
    command: Command, built_arrays: Path, sources: Path, request: pytest.FixtureRequest
) -> None:
    data, page = sources / "inputs.npz", command.folder / "matrix.md"
    words = ("matrix", built_arrays, "--data", data, *_ROUNDS)
    outcome = command(*words, "--onnxruntime", f"{HERE},{OTHER},1.99", "--markdown", page, "--json")
    assert outcome.code == 0, outcome.err
    assert f"Installing numpy {metadata.version('numpy')}, onnxruntime {OTHER} ..." in outcome.err_line
    found = json.loads(outcome.out)
    here, other, missing = found["rows"]
    assert found["schema"] == "edgewright.matrix/1"
    assert (found["reference"], found["measure"]) == ({"onnxruntime": HERE}, "agreement")
    for row, version in ((here, HERE), (other, OTHER)):
        assert row["libraries"] == {"numpy": metadata.version("numpy"), "onnxruntime": version}
        assert row["failure"] == ""
        assert (len(row["engine"]["latency"]["rounds"]), len(row["engine"]["load_seconds"])) == (6, 3)
        assert row["engine"]["peak_memory_bytes"] > 0
        assert row["equal"] <= found["data"]["samples"]
    assert here["equal"] == found["data"]["samples"]
    assert missing["versions"] == {"onnxruntime": "1.99"}
    assert "no release 1.99 of onnxruntime" in missing["failure"]
    assert "Near it are" in missing["failure"]
    assert f"| {OTHER} | " in page.read_text(encoding="utf-8")
    assert leftovers(command.cache) == []

    request.getfixturevalue("offline")
    again = command(*words, "--onnxruntime", f"{HERE},1.31,1.30.0", "-q")
    assert again.code == 0, again.err
    assert "Installing" not in again.err
    lines = again.out.splitlines()
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line.split() for line in lines if line.startswith("1.3")}
    assert list(rows) == [HERE, OTHER, "1.30.0"]
    assert set(rows["1.30.0"][1:]) == {"-"}
    did_not = "did not run onnxruntime 1.30.0: pip cannot install it: No matching distribution"
    assert did_not in " ".join(again.out.split())


def test_where_no_version_can_be_had_nothing_is_measured(
    command: Command, built_arrays: Path, sources: Path, offline: Path
) -> None:
    command.refuses(
        "matrix", built_arrays, "--data", sources / "inputs.npz", "--onnxruntime", "1.2.3,1.2", "-q",
        says=[
            "No version can be installed",
            "onnxruntime 1.2.3: pip cannot install it: No matching distribution",
            "onnxruntime 1.2: pip cannot tell which versions of onnxruntime there are",
        ],
    )  # fmt: skip


def test_a_version_that_runs_nothing_is_a_reason_and_the_check_fails(
    command: Command, built_arrays: Path, sources: Path, offline: Path
) -> None:
    write_wheel(offline, "numpy", metadata.version("numpy"), "raise ImportError('built for another system')")
    write_wheel(offline, "onnxruntime", "1.2.3", "")
    command.refuses(
        "matrix", built_arrays, "--data", sources / "inputs.npz", "--onnxruntime", "1.2.3", "-q", code=1,
        says=["No version runs engine 'tiny-", "onnxruntime 1.2.3: The process of the engine ended", "another system"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), ["No versions are named", "--onnxruntime 1.31,1.32"]),
        (("--onnxruntime", ","), ["No version of onnxruntime is named"]),
        (("--onnxruntime", "newest"), ["'newest' is not a version of onnxruntime", "such as 1.31,1.32"]),
        (("--onnxruntime", "1.31,1.x"), ["'1.x' is not a version of onnxruntime"]),
        (("--library", "torch=2.9"), ["'torch' is not a library that packages use", "Known: av,", "tokenizers"]),
        (("--library", "tokenizer=0.21"), ["'tokenizer' is not a library", "Did you mean 'tokenizers'?"]),
        (("--library", "tokenizers"), ["takes a name and versions, not 'tokenizers'"]),
        (("--library", "numpy=2.3", "--library", "numpy=2.4"), ["Versions of numpy are named twice"]),
        (("--library", "tokenizers=0.21"), ["does not use tokenizers", "uses numpy, onnxruntime"]),
        (("--library", "numpy==2.x"), ["'2.x' is not a version of numpy"]),
        (("--onnxruntime", "1.30", "--engine", "fast"), ["has no engine 'fast'"]),
        (
            ("--onnxruntime", "1.30,1.31,1.32", "--library", "numpy=1,2,3,4,5,6"),
            ["18 combinations of versions", "at most 16"],
        ),
        (("--onnxruntime", "1.32", "--markdown", "no/out.md"), ["there is no folder"]),
    ],
)
def test_wrong_use(
    command: Command, built_arrays: Path, sources: Path, words: tuple[str, ...], says: list[str]
) -> None:
    command.refuses("matrix", built_arrays, "--data", sources / "inputs.npz", *words, says=says)


def test_package_and_data_are_looked_at_before_anything_is_installed(
    command: Command, built_arrays: Path, sources: Path, offline: Path
) -> None:
    versions = ("--onnxruntime", "1.31")
    outcome = command.refuses(
        "matrix", "missing.ortpackage", "--data", "missing.csv", "--onnxruntime", "newest",
        says=["'newest' is not a version", "missing.ortpackage", "missing.csv"],
    )  # fmt: skip
    assert outcome.err.count("error: ") == 3
    data = sources / "train.csv"
    command.refuses("matrix", built_arrays, "--data", data, *versions, says=["train.csv", "its data is a .npz file"])
