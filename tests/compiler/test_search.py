"""Builds that search: what is tried, what ships, what is said, and what is refused before or on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from command import QUICK, Command
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.result_files import result_from_json
from edgewright_runtime import Package
from tiny_models import write_arrays
from tiny_targets import candidate_text, recipe_text, write_target


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with samples that guide and others that prove, and a target with a candidate for searches."""
    folder = tmp_path_factory.mktemp("searched")
    random = np.random.default_rng(3)
    for name, count in (("guide", 40), ("proof", 120), ("few", 20)):
        write_arrays(folder / f"{name}.npz", pixels=random.normal(size=(count, 8)).astype(np.float32))
    dynamic = (
        recipe_text("int8-dynamic", method="dynamic"),
        candidate_text("cpu-dynamic", "int8-dynamic", search_only=True),
    )
    write_target(folder / "searched.toml", *dynamic)
    quiet = {"session.intra_op.allow_spinning": "0"}
    setting = candidate_text("cpu-quiet", "fp32", session_options=quiet, search_only=True)
    write_target(folder / "settings.toml", *dynamic, setting)
    return folder


def words(data: Path, sources: Path, *more: object) -> tuple[object, ...]:
    return (
        sources / "perceptron.onnx",
        "--target", data / "searched.toml",
        "--calibration", data / "guide.npz",
        "--evaluation", data / "proof.npz",
        *more,
    )  # fmt: skip


def evidence(package: Path) -> Result:
    return result_from_json(Package.open(package).evidence("searched"), "evidence")


def test_a_search_tries_what_a_plain_build_leaves_out(command: Command, data: Path, sources: Path) -> None:
    output = command.folder / "p"
    done = command("build", *words(data, sources, "--search", "4", "-o", output, *QUICK))
    assert done.code == 0, done.err
    assert "Search: cpu-dynamic. The target lists it for searches. Best so far: " in done.err
    found = evidence(output)
    assert found.search is not None
    assert found.search.bound == "4 engines"
    assert found.search.ended in ("finished", "engines")
    assert "searched-cpu-dynamic" in [one.name for one in found.search.tried]
    assert {one.name for one in found.search.tried} <= {engine.name for engine in found.engines}
    assert found.search.path[-1] == found.chosen
    said = command("inspect", output).out
    assert " tried in " in said
    assert "(limit: 4 engines)" in " ".join(said.split())
    plain = command.folder / "plain"
    done = command("build", *words(data, sources, "-o", plain, *QUICK))
    assert "Measured: from the cache" in done.err
    assert evidence(plain).search is None
    assert "searched-cpu-dynamic" not in [engine.name for engine in evidence(plain).engines]


def test_settings_of_speed_wait_for_the_winner(command: Command, data: Path, sources: Path) -> None:
    output = command.folder / "p"
    given = ("--calibration", data / "guide.npz", "--evaluation", data / "proof.npz", "--search", "9", "-o", output)
    done = command("build", sources / "perceptron.onnx", "--target", data / "settings.toml", *given, *QUICK)
    assert done.code == 0, done.err
    assert "Search: cpu-quiet. The target lists it" not in done.err
    tried = [line for line in done.err.splitlines() if line.startswith("Search: ")]
    assert tried[0].startswith("Search: cpu-dynamic. ")
    # Of the float engine it is the candidate itself.
    assert any("quiet" in line for line in tried[1:])


@pytest.mark.parametrize(
    ("search", "says"),
    [
        ("abc", ["--search: 'abc' is not a time or a number of engines.", "90s, 10m or 1h"]),
        ("0", ["A search of 0 engines tries nothing."]),
        ("0s", ["A search of 0s tries nothing."]),
        ("-5", ["'-5' is not a time or a number of engines"]),
    ],
)
def test_a_bound_that_cannot_be(command: Command, data: Path, sources: Path, search: str, says: list[str]) -> None:
    command.refuses_build(*words(data, sources, "--search", search), says=says)


def test_a_time_below_one_measurement(command: Command, data: Path, sources: Path) -> None:
    command.refuses_build(
        *words(data, sources, "--search", "0.001s"),
        says=[
            "--search 0.001s is shorter than one measurement, which takes about",
            "What was measured so far is kept.",
        ],
    )


def test_one_data_set_is_split(command: Command, data: Path, sources: Path) -> None:
    output = command.folder / "p"
    proof = data / "proof.npz"
    given = (sources / "perceptron.onnx", "--target", data / "searched.toml", "--evaluation", proof, "--search", "1")
    done = command("build", *given, "-o", output, *QUICK)
    assert done.code == 0, done.err
    assert "proof.npz was split: 30 samples guided the search and set ranges, the other 90 decided." in done.err_line
    assert evidence(output).data.samples == 90
    # Given for both, it is one data set as well: only the settings that the evidence names are others.
    both = command("build", *given, "--calibration", data / "proof.npz", "--search", "1", "-o", output, *QUICK)
    assert "was split: 30 samples guided the search and set ranges, the other 90 decided." in both.err_line
    assert "Measured: from the cache" in both.err


def test_data_that_cannot_be_split(command: Command, data: Path, sources: Path) -> None:
    given = (sources / "perceptron.onnx", "--target", data / "searched.toml", "--calibration", data / "few.npz")
    command.refuses_build(
        *given, "--search", "1", says=["few.npz has 20, which is too few to be split; 32 are enough."]
    )
    command.refuses_build(*given[:3], "--search", "1", says=["There is no data to search with."])


def test_targets_share_the_bound(command: Command, data: Path, sources: Path) -> None:
    other = data / "other.toml"
    other.write_text((data / "searched.toml").read_text(encoding="utf-8"), encoding="utf-8")
    output = command.folder / "p"
    done = command("build", *words(data, sources, "--target", other, "--search", "2", "-o", output, *QUICK))
    assert done.code == 0, done.err
    tried = [result_from_json(Package.open(output).evidence(name), name).search for name in ("searched", "other")]
    assert [len(one.tried) for one in tried if one is not None] == [1, 1]
