"""What the bar of intake keeps, counts and calls a success. One tiny source goes the whole way; nothing is fetched."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_models
from edgewright_benchmarks.tasks import TASKS
from edgewright_cli import make_parser
from tiny_targets import candidate_text, recipe_text, target_text

BARS = Path(__file__).resolve().parents[2] / "benchmarks" / "bars"


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BARS)
    return importlib.import_module("intake")


@pytest.fixture
def run(bar: Any) -> Any:
    """The module that runs a source."""
    return importlib.import_module("_intake_run")


def typed(run: Any, code: int | None, said: str = "") -> Any:
    return run.Typed(words="edgewright build net.onnx", code=code, seconds=1.0, said=said)


def test_what_was_written_down_is_whole(bar: Any) -> None:
    """Natural tasks are tasks that there are, every command parses, and a second one needs a reason."""
    assert len({one.name for one in bar.SOURCES}) == len(bar.SOURCES) >= 25
    for one in bar.SOURCES:
        assert one.task in {task.name for task in TASKS}, one.name
        second = [one.second.words] if one.second else []
        for words in (one.first, *second):
            options = make_parser("build").parse_args(["build", *words, "-o", "out"])
            assert options.task in (None, one.task), one.name
        if one.second:
            assert one.second.says, one.name
            assert one.second.done, one.name
            assert one.second.before or one.second.words != one.first, one.name


def test_a_refusal_is_a_sentence(run: Any) -> None:
    assert typed(run, 2, "error: there is no detector.json beside the file").refused
    assert typed(run, 1, "error: The outputs of the export differ").refused
    assert not typed(run, 2, "error: Traceback (most recent call last): ...").refused
    assert not typed(run, 1, "Killed").refused
    assert not typed(run, None).refused


def test_a_second_command_needs_a_refusal_that_says_it(bar: Any, run: Any) -> None:
    (source,) = (one for one in bar.SOURCES if one.name == "centerface")
    assert run.asks_for(typed(run, 2, "error: there is no detector.json beside the file"), source.second)
    assert not run.asks_for(typed(run, 2, "error: it has four outputs"), source.second)
    assert not run.asks_for(typed(run, -9, "error: there is no detector.json beside the file"), source.second)


def test_what_commands_come_to(bar: Any, run: Any, tmp_path: Path) -> None:
    source, made = bar.SOURCES[0], importlib.import_module("_row").Made(spec="a:b", data=None, samples=[])
    cases = {(2, "error: no"): "refused", (2, "Traceback"): "WRONG", (1, "Killed"): "WRONG", (None, ""): "WRONG"}
    for (code, said), verdict in cases.items():
        assert run.judged(source, made, tmp_path, [typed(run, code, said)]).verdict == verdict, (code, said)
    # An exit code of 0 without a package that opens is not a success.
    found = run.judged(source, made, tmp_path, [typed(run, 2, "error: no"), typed(run, 0)])
    assert (found.verdict, found.answers) == ("WRONG", "0 x arrays")
    assert "not a package" in found.note


def test_a_command_ends_at_its_limit(run: Any, tmp_path: Path) -> None:
    made = importlib.import_module("_row").Made(spec=str(tmp_path / "net.onnx"), data=None, samples=[])
    found = run.type_command(("{spec}", "--labels", "{labels}"), made, tmp_path, 0.01)
    assert found.code is None
    assert found.words == "edgewright build net.onnx --labels labels.txt"


def test_outcomes_are_kept_of_the_same_commands(bar: Any, run: Any, tmp_path: Path) -> None:
    first, second, third = bar.SOURCES[:3]
    results = tmp_path / "made" / "results.jsonl"

    def outcome(source: Any, verdict: str, **changes: Any) -> Any:
        words = (typed(run, 0),)
        return run.Outcome(name=source.name, verdict=verdict, typed=words, **{"setup": run.setup_of(source), **changes})

    for one in (
        outcome(first, "refused"),
        outcome(first, "first"),
        outcome(second, "first", setup="other words"),
        outcome(third, "not run"),
    ):
        bar.append(results, one)
    # The last line was cut off when the call before was ended.
    with results.open("a", encoding="utf-8") as file:
        file.write('{"name": "cut')
    found = bar.kept(results, bar.SOURCES)
    assert {name: one.verdict for name, one in found.items()} == {first.name: "first"}
    assert found[first.name].typed == (typed(run, 0),)
    bar.append(results, outcome(second, "second"))
    assert set(bar.kept(results, bar.SOURCES)) == {first.name, second.name}
    # Another second command, another natural task: what was seen before says nothing of them.
    assert run.setup_of(replace(first, task="image-to-text")) != run.setup_of(first)
    assert bar.kept(tmp_path / "none.jsonl", bar.SOURCES) == {}


def test_goals_are_counted(bar: Any, run: Any) -> None:
    def outcomes(**counts: int) -> list[Any]:
        names = {"not_run": "not run", "wrong": "WRONG"}
        return [
            run.Outcome(name=f"{verdict}{index}", verdict=names.get(verdict, verdict))
            for verdict, count in counts.items()
            for index in range(count)
        ]

    met, said = bar.goals(outcomes(first=18, second=4, refused=3, not_run=2))
    assert met
    assert "22 of 25 sources reached" in said
    assert "18 of them at the first command; 25 of 25 answer" in said
    assert "2 were not run" in said
    assert not bar.goals(outcomes(first=21, refused=4))[0]
    assert not bar.goals(outcomes(first=29, wrong=1))[0]
    # Too few were tried: what was not run is not a success.
    assert not bar.goals(outcomes(first=24, not_run=5))[0]


def test_the_table_has_the_negatives(bar: Any, run: Any) -> None:
    (source,) = (one for one in bar.SOURCES if one.name == "centerface")
    words = (typed(run, 2, "error: there is no detector.json"), typed(run, 2, "error: a | b does not fit"))
    refused = run.Outcome(name=source.name, verdict="refused", note="error: a | b does not fit", typed=words)
    text = bar.as_markdown(bar.SOURCES, {source.name: refused})
    row = next(line for line in text.splitlines() if line.startswith("| centerface"))
    assert row.count("|") == text.splitlines()[2].count("|")
    assert "| refused |" in row
    assert '"there is no detector.json" Second: `detector.json` with the head `heat-maps`' in text
    assert "refused: a / b does not fit" in text
    assert bar.as_markdown(bar.SOURCES, {}) == "Nothing was tried yet."


@pytest.mark.slow
def test_a_source_goes_the_whole_way(bar: Any, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real command, and answers beside those of its library: the same ones, and others."""
    made = importlib.import_module("_row").Made
    target = tmp_path / "float.toml"
    target.write_text(
        target_text(recipe_text("fp32", method="float"), candidate_text("fp32", "fp32"), baseline="fp32"),
        encoding="utf-8",
    )
    monkeypatch.setattr(run, "QUICK", (*run.QUICK, "--target", str(target)))

    def make(folder: Path) -> Any:
        arrays = tiny_models.write_arrays(folder / "data.npz")
        return made(spec=str(_written(folder / "net.onnx")), data=arrays, samples=[{"arrays": str(arrays)}])

    def theirs(made: Any) -> list[Any]:
        import onnxruntime

        session = onnxruntime.InferenceSession(made.spec, providers=["CPUExecutionProvider"])
        with np.load(made.samples[0]["arrays"]) as file:
            return [dict(zip(["scores"], session.run(None, dict(file)), strict=True))]

    source = replace(bar.SOURCES[0], name="tiny", task="arrays", make=make, theirs=theirs)
    right = run.run_source(source, _folder(tmp_path / "right"), 300.0)
    assert (right.verdict, right.note, right.answers) == ("first", "", "1 x arrays")
    doubled = replace(source, theirs=lambda made: [{"scores": 2 * one["scores"]} for one in theirs(made)])
    wrong = run.run_source(doubled, _folder(tmp_path / "wrong"), 300.0)
    assert wrong.verdict == "WRONG"
    assert "numbers differ by" in wrong.note
    assert right.typed[0].words == "edgewright build net.onnx --calibration data.npz"


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _written(path: Path) -> Path:
    tiny_models.write_onnx(path)
    return path
