"""`edgewright compare` on stored results: exit codes, and files that are not results of two benches of one kind."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.report_fixtures import build_result
from command import QUICK, Command
from edgewright_benchmarks.result_files import read_result, write_result


@pytest.fixture
def base(tmp_path: Path) -> Path:
    write_result(build_result(kind="bench"), tmp_path / "base.json")
    return tmp_path / "base.json"


def changed(path: Path, name: str = "new.json", **changes: object) -> Path:
    """A result beside it whose engine that runs has other figures."""
    result = read_result(path)
    engines = tuple(
        replace(engine, **changes) if engine.name == result.chosen else engine  # type: ignore[arg-type]
        for engine in result.engines
    )
    write_result(replace(result, engines=engines), path.with_name(name))
    return path.with_name(name)


def test_a_rule_that_passes(command: Command, base: Path) -> None:
    outcome = command("compare", base, base, "--fail-on", "size > +1%")
    assert outcome.code == 0
    assert "pass  size > +1%" in outcome.out
    assert "Verdict: pass" in outcome.out


def test_a_rule_that_fails(command: Command, base: Path) -> None:
    new = changed(base, size_bytes=24_000_000)
    outcome = command("compare", base, new, "--fail-on", "size > +1%")
    assert outcome.code == 1
    assert "changed by +3.81 %: above the limit of +1.00 %" in " ".join(outcome.out.split())
    assert "Verdict: fail" in outcome.out


def test_undecided_passes_with_a_warning_or_fails(command: Command, base: Path) -> None:
    arguments = ("compare", base, base, "--fail-on", "accuracy < -0.5")
    outcome = command(*arguments)
    assert outcome.code == 0
    assert "warning: 'accuracy < -0.5' is undecided and passes." in outcome.err
    assert "samples would decide; there are 1,000" in outcome.err_line
    assert command(*arguments, "--undecided", "fail").code == 1


def test_files_that_were_written_are_named(command: Command, base: Path) -> None:
    markdown, junit = base.with_name("out.md"), base.with_name("out.xml")
    outcome = command("compare", base, base, "--fail-on", "size > +1%", "--markdown", markdown, "--junit", junit)
    assert outcome.out.splitlines()[-2:] == [f"Written: {markdown}", f"Written: {junit}"]


def test_without_rules_everything_is_shown(command: Command, base: Path) -> None:
    outcome = command("compare", base, base)
    assert outcome.code == 0
    assert all(title in outcome.out for title in ("Latency p99", "Throughput", "Load time", "Peak memory", "Macro-F1"))


def test_json_has_every_rule(command: Command, base: Path) -> None:
    outcome = command("compare", base, base, "--fail-on", "size > +1%, accuracy < -5", "--json")
    found = json.loads(outcome.out)
    assert (found["schema"], found["form"], found["verdict"]) == ("edgewright.comparison/1", "stored", "pass")
    assert [rule["verdict"] for rule in found["rules"]] == ["pass", "pass"]


def test_a_missing_baseline_says_how_to_make_it(command: Command, base: Path) -> None:
    missing = base.with_name("none.json")
    command.refuses(
        "compare",
        missing,
        base,
        says=["There is no baseline", f"bench PACKAGE --data DATA --update-baseline {missing}"],
    )
    command.refuses("compare", base, missing, says=["There is no result", f"-o {missing}"])


def _edited(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace("23120000", "13120000"), encoding="utf-8")


def _cut_off(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8")[:-200], encoding="utf-8")


def _newer(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace("result/1", "result/2"), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_edited, ["was changed after it was written", "Measure again"]),
        (_cut_off, ["cannot be read as a result: It is empty or cut off."]),
        (lambda path: path.write_text(""), ["It is empty or cut off."]),
        (_newer, ["'edgewright.result/2'", "update Edgewright"]),
        (lambda path: path.write_text("{}"), ["schema 'None'", "edgewright bench"]),
    ],
)
def test_a_damaged_result_is_refused(
    command: Command, base: Path, damage: Callable[[Path], object], says: list[str]
) -> None:
    new = changed(base)
    damage(new)
    command.refuses("compare", base, new, "--fail-on", "size > +1%", says=says)


def test_another_layout_of_the_same_content_is_not_an_edit(command: Command, base: Path) -> None:
    base.write_text(json.dumps(json.loads(base.read_text(encoding="utf-8"))), encoding="utf-8")
    assert command("compare", base, base, "--fail-on", "size > +1%").code == 0


def test_unlike_results_and_unknown_figures_are_refused(command: Command, base: Path) -> None:
    other = base.with_name("other.json")
    write_result(replace(read_result(base), model="another"), other)
    command.refuses("compare", base, other, says=["not alike", "model: 'assist-intents' and 'another'", "--force"])
    outcome = command("compare", base, other, "--force", "--fail-on", "size > +1%")
    assert outcome.code == 0
    assert "Compared by force" in outcome.err_line
    command.refuses("compare", base, base, "--fail-on", "speed > +1%", says=["unknown figure 'speed'", "latency.p50"])


def test_a_package_is_not_a_result(command: Command, base: Path, tmp_path: Path) -> None:
    (tmp_path / "new.ortpackage").mkdir()
    command.refuses("compare", base, tmp_path / "new.ortpackage", says=["is not a result of 'bench'", "--rerun"])


def test_bench_writes_a_baseline_and_says_what_it_changes(command: Command, built_arrays: Path, sources: Path) -> None:
    path = command.folder / "baselines" / "perceptron.json"
    bench = ("bench", built_arrays, "--data", sources / "inputs.npz", *QUICK)
    first = command(*bench, "--update-baseline", path)
    assert first.code == 0, first.err
    assert read_result(path).kind == "bench"
    assert "Against the baseline before" not in first.out
    again = command(*bench, "--update-baseline", path)
    assert "Against the baseline before: Latency p50 " in " ".join(again.out.split())
    assert command("compare", path, path, "--fail-on", "size > +0%, agreement < -5").code == 0
    command.refuses(*bench, "--update-baseline", sources / "inputs.npz" / "x.json", says=["cannot be written"])


def test_a_bench_goes_on_until_its_intervals_are_narrow_or_to_its_limit(
    command: Command, built_arrays: Path, sources: Path
) -> None:
    path = command.folder / "until.json"
    bench = ("bench", built_arrays, "--data", sources / "inputs.npz", *QUICK, "-o", path)
    outcome = command(*bench, "--until", "0.0001%", "--most-rounds", "5")
    assert outcome.code == 0, outcome.err
    result = read_result(path)
    latency = result.engine(result.chosen).latency
    assert latency is not None
    assert (result.settings.rounds, len(latency.rounds)) == (5, 5)
    assert "After 5 rounds, the limit, the interval of an engine's median is still wider" in outcome.err_line
    assert latency.intervals["p99"].low <= latency.p99 <= latency.intervals["p99"].high
    assert command(*bench, "--until", "99%", "--most-rounds", "5").code == 0
    assert read_result(path).settings.rounds in (2, 4)
    command.refuses(*bench, "--most-rounds", "5", says=["--most-rounds needs --until"])
    command.refuses(*bench, "--most-time", "5m", says=["--most-time needs --until"])
    command.refuses(*bench, "--until", "1%", "--most-time", "5", says=["'5' is not a time above zero, such as 90s"])


def test_a_bench_ends_after_the_time_that_is_said(command: Command, built_arrays: Path, sources: Path) -> None:
    path = command.folder / "time.json"
    bench = ("bench", built_arrays, "--data", sources / "inputs.npz", "--rounds", "4", "--calls", "4", "-o", path)
    # Less than any round takes: the first two rounds are taken all the same.
    outcome = command(*bench, "--until", "0.0001%", "--most-time", "0.00001s")
    assert outcome.code == 0, outcome.err
    assert read_result(path).settings.rounds == 2
    assert "After 2 rounds and 1e-05s, the limit of --most-time, the interval of an engine's median" in outcome.err_line
    # A time that is not reached changes nothing.
    outcome = command(*bench, "--until", "0.0001%", "--most-time", "1h", "--most-rounds", "5")
    assert read_result(path).settings.rounds == 5
    assert "After 5 rounds, the limit, the interval" in outcome.err_line
