"""Peers beside ours: rows are joined, kept and shown; one row goes the whole way with ONNX Runtime's own engines."""

import importlib
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_compiler import BuildOptions, build
from edgewright_targets import host_facts
from tiny_images import write_checkpoint, write_pictures
from tiny_targets import candidate_text, recipe_text, target_text

BARS = Path(__file__).resolve().parents[2] / "benchmarks" / "bars"


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BARS)
    return importlib.import_module("against_peers")


def figures(bar: Any, name: str, seconds: float, accuracy: float, high: float, *, ours: float = 0.004) -> Any:
    ratio = ours / seconds
    return bar.PeerFigures(
        name=name,
        title=name.title(),
        typed="1 command",
        does="does it by hand",
        metric=("accuracy", accuracy),
        drop=Interval(0.9 - accuracy, 0.0, high),
        seconds=seconds,
        ratio=Interval(ratio, ratio * 0.95, ratio * 1.05),
        size_bytes=2_000_000,
        memory_bytes=90_000_000,
        make_seconds=12.0,
    )


def row(bar: Any, *peers: Any, **changes: Any) -> Any:
    found = bar.PeerRow(
        row="intents",
        title="MiniLM",
        weights="trained",
        machine=host_facts(),
        versions={},
        engine="cpu-int8",
        package="0123",
        samples=400,
        threads=2,
        ours=figures(bar, "edgewright", 0.004, 0.9, 0.005),
        peers=peers,
    )
    return replace(found, **changes)


def test_the_best_peer_keeps_the_budget_or_is_as_accurate(bar: Any) -> None:
    careless = figures(bar, "careless", 0.002, 0.7, 0.25)
    lucky = figures(bar, "lucky", 0.005, 0.91, 0.02)
    slow = figures(bar, "slow", 0.008, 0.9, 0.003)
    assert row(bar, careless, lucky, slow).best_peer().name == "lucky"
    assert row(bar, careless, slow).best_peer().name == "slow"
    assert row(bar, careless).best_peer() is None
    failed = replace(careless, status="failed", ratio=None, drop=None, metric=None)
    assert row(bar, failed).best_peer() is None


def test_a_row_in_which_a_peer_wins_stays_and_fails(bar: Any) -> None:
    faster = row(bar, figures(bar, "quick", 0.002, 0.9, 0.004))
    level = row(bar, figures(bar, "alike", 0.004, 0.9, 0.004), row="gpt")
    found = bar.figures_of([faster, level, row(bar, row="fashion")])
    assert [one.verdict for one in found] == ["FAIL", "pass", "for information", "FAIL"]
    assert found[-1].ratio.value == pytest.approx(2**0.5)
    text = bar.table_of([faster])
    assert "**Quick is faster**: ours takes 2.00 (1.90 to 2.10) of its time. It does it by hand." in text
    assert "| Quick | 2.00 | 2.00 (1.90 to 2.10) | Accuracy 90.00% | 0.40 | 2.0 | 90.0 | 12 | 1 command |" in text


def test_runs_of_some_peers_are_joined(bar: Any, tmp_path: Path) -> None:
    first = row(bar, figures(bar, "one", 0.005, 0.9, 0.0), figures(bar, "two", 0.006, 0.9, 0.0))
    bar.write_row(first, tmp_path / "intents.json")
    kept = bar.read_row(tmp_path / "intents.json")
    assert kept == first
    again = row(bar, figures(bar, "two", 0.003, 0.9, 0.0))
    assert {one.name: one.seconds for one in bar.joined(kept, again).peers} == {"one": 0.005, "two": 0.003}
    # Of another package nothing is put together, and of another machine neither.
    assert bar.joined(kept, replace(again, package="4567")).peers == again.peers
    assert bar.joined(kept, replace(again, machine=replace(again.machine, cpu="another"))).peers == again.peers
    assert [one.row for one in bar.kept_rows(tmp_path)] == ["intents"]
    assert bar.joined(None, first) == first


def test_the_declared_peers_name_what_there_is(bar: Any) -> None:
    peers, pins = bar.read_peers()
    makers = (BARS.parent / "peers" / "make_engine.py").read_text(encoding="utf-8")
    assert len({peer.name for peer in peers}) == len(peers)
    for peer in peers:
        assert peer.environment in pins
        assert not peer.maker or f"def {peer.maker}(" in makers
        assert (peer.lines > 0) != bool(peer.commands), peer.name
        assert set(peer.sources) <= {"checkpoint", "module", "graph"}
    assert {pin for packages in pins.values() for pin in packages if "==" not in pin} == set()
    # Without it pip fetches gigabytes for GPUs.
    assert {p for packages in pins.values() for p in packages if p.startswith("torch==")} == {"torch==2.13.0+cpu"}


def test_what_cannot_be_installed_is_named(bar: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environments = importlib.import_module("_peer_environments")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def run(command: Any, **_: Any) -> Any:
        return SimpleNamespace(
            returncode=int("pip" in command), stderr="WARNING: no\nERROR: No matching distribution\n"
        )

    monkeypatch.setattr(environments.subprocess, "run", run)
    with pytest.raises(environments.NotInstalledError, match=r"^ERROR: No matching distribution$"):
        environments.made_environment("olive", ("olive-ai==99",))


@pytest.mark.slow
def test_a_row_goes_the_whole_way(bar: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the libraries that are here in the place of the environments; one peer cannot be installed."""
    pictures = write_pictures(tmp_path / "pictures")
    source = write_checkpoint(tmp_path / "source", "resnet")
    target = tmp_path / "float.toml"
    tables = (recipe_text("fp32", method="float"), candidate_text("fp32", "fp32"))
    target.write_text(target_text(*tables, baseline="fp32"), encoding="utf-8")
    quick = MeterSettings(rounds=2, calls=2, loads=1, threads=1)
    options = BuildOptions(
        output=tmp_path / "model.ortpackage",
        calibration=pictures,
        evaluation=pictures,
        accept_baseline=True,
        meter=quick,
    )
    package = build(str(source), options).package
    suite = importlib.import_module("_suite_builds")
    made = suite.SuiteBuild(row="tiny", options=(), package=str(package), seconds=3.0)
    monkeypatch.setattr(bar, "built", lambda *_, **__: made)
    here = Path(sys.executable).parents[1]

    def environment(name: str, _: Any) -> Path:
        if name == "olive":
            raise bar.NotInstalledError("No matching distribution")
        return here

    monkeypatch.setattr(bar, "made_environment", environment)
    monkeypatch.setattr(bar, "peer_environment", lambda *_: dict(os.environ))
    peers, pins = bar.read_peers()
    names = ("onnxruntime-float", "onnxruntime-dynamic", "torch-eager", "olive")
    asked = [peer for peer in peers if peer.name in names]
    tiny = replace(
        bar.ROWS[0], name="tiny", build=(str(source), "--evaluation", str(pictures), "--calibration", str(pictures))
    )
    settings = SimpleNamespace(search=None, suite=tmp_path, work=tmp_path / "work", samples=12, rounds=2)
    found = bar.compare(tiny, settings, asked, pins)
    assert not found.reason
    by_name = {one.name: one for one in found.peers}
    assert by_name["olive"].reason == "It cannot be installed: No matching distribution"
    assert {name for name, one in by_name.items() if one.status == "measured"} == {
        "onnxruntime-float", "onnxruntime-dynamic", "torch-eager",
    }  # fmt: skip
    # The same float model gives the same answers by another way.
    assert by_name["torch-eager"].drop.value == 0
    assert by_name["torch-eager"].metric == by_name["onnxruntime-float"].metric
    assert by_name["onnxruntime-dynamic"].size_bytes < by_name["onnxruntime-float"].size_bytes
    assert all(one.seconds > 0 and one.memory_bytes > 1e6 for one in (found.ours, *by_name.values()) if one.ratio)
    # What was made is not made again.
    monkeypatch.setattr(bar, "make_engine", lambda *_: pytest.fail("made again"))
    again = bar.compare(tiny, settings, asked, pins)
    assert {one.status for one in again.peers if one.name != "olive"} == {"measured"}


def test_outputs_are_read_in_their_order(bar: Any, tmp_path: Path) -> None:
    arrays: dict[str, Any] = {f"{i}/{p}": np.array([i, p]) for i in range(11) for p in range(2)}
    np.savez(tmp_path / "outputs.npz", **arrays)
    found = bar.feeds.read_outputs(tmp_path / "outputs.npz", 11)
    assert [[value.tolist() for value in one] for one in found[9:]] == [[[9, 0], [9, 1]], [[10, 0], [10, 1]]]
