"""A cascade whose threshold is found: by its build, on data of the whole, with its evidence in the package."""

import itertools
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from command import Command
from edgewright_benchmarks.applications import both_ways
from edgewright_benchmarks.applications.both_ways import ask_both_ways
from edgewright_benchmarks.applications.found_threshold import Cascade
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.applications import build_application
from edgewright_runtime.applications import load_application
from edgewright_runtime.applications.application import ApplicationPackage
from edgewright_runtime.applications.conditions import read_condition
from edgewright_runtime.errors import PackageError

CASCADE = """\
kind = "application"
answer = ["label"]
input = { command = "text" }

[model]
small.package = "intents.ortpackage"
large.package = "intents.ortpackage"

[step.quick]
model = "small"
input.text = "command"

[step.thorough]
model = "large"
input.text = "command"
when = "quick.score < found"

[step.label]
do = "first"
input = { thorough = "thorough", quick = "quick" }

[budget]
max_drop = "10%"
"""
QUICK = {"meter.rounds": 2, "meter.calls": 2, "data.golden_samples": False}
ROOMS = ("kitchen", "hall", "garden", "bedroom", "ten", "five")
TEXTS = tuple(
    text.format(room)
    for room in ROOMS
    for text in ("turn on the {} light", "switch off the {} lamp", "set a timer for {} minutes", "play some {} music")
) + tuple(f"turn on the {room} lamp now" for room in ROOMS)


@pytest.fixture(scope="module")
def folder(built_text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a cascade whose models are one and the same, and data: what is asked makes no difference."""
    folder = tmp_path_factory.mktemp("cascade")
    shutil.copytree(built_text, folder / "intents.ortpackage")
    (folder / "cascade.toml").write_text(CASCADE, encoding="utf-8")
    lines = ["command,label", *(f"{text},TurnOn" for text in TEXTS)]
    (folder / "commands.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def built(folder: Path) -> Path:
    """The cascade, built within a budget of ten points: do not write into it."""
    given = {**QUICK, "data.evaluation": str(folder / "commands.csv")}
    return build_application(folder / "cascade.toml", folder / "cascade.ortpackage", given=given).package


def test_the_threshold_is_written_with_its_evidence(built: Path, command: Command) -> None:
    package = ApplicationPackage.open(built)
    condition = package.checked.conditions["thorough"]
    facts = json.loads(command("inspect", built, "--json").out)
    (found,) = facts["evidence"]["thresholds"]
    assert found["declared"] == "quick.score < found"
    assert found["when"] == package.checked.flow.step["thorough"].when
    assert condition.constant == found["tried"][-1]["constant"]
    assert (found["asked"], found["samples"], found["max_drop"]) == (0, len(TEXTS), 0.1)
    assert all(one["drop"]["high"] <= 0.1 for one in found["tried"])
    assert "The threshold of 'thorough' was found on this data (commands.csv)" in facts["evidence"]["warnings"][0]
    shown = command("inspect", built)
    assert f"'thorough' runs where '{found['when']}': for 0 of {len(TEXTS)} samples" in " ".join(shown.out.split())
    with load_application(package) as application:
        assert application.run(TEXTS[0]).values["thorough"] is None
        assert set(application.loaded) == {"small"}


def test_a_bench_on_the_same_data_says_so(built: Path, folder: Path, command: Command) -> None:
    done = command("bench", built, "--data", folder / "commands.csv", "--rounds", "2", "--calls", "2")
    assert "The threshold of 'thorough' was found on this data" in done.err_line


def test_where_none_keeps_the_budget_the_step_always_runs(folder: Path, command: Command, tmp_path: Path) -> None:
    data = ("--evaluation", folder / "commands.csv", "--max-drop", "1%", "--no-golden-samples")
    output = tmp_path / "cascade.ortpackage"
    quick = ("--rounds", "2", "--calls", "2")
    done = command("build", folder / "cascade.toml", *data, *quick, "-o", output)
    assert done.code == 0, done.err
    words = " ".join(done.out.split())
    assert "No threshold is shown to keep the budget of 1 percentage points" in words
    assert f"{len(TEXTS)} samples are too few to show it" in words
    assert ApplicationPackage.open(output).checked.flow.step["thorough"].when is None


def test_each_model_is_asked_once_for_all_thresholds(
    folder: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And each sample has what the application answers with the step and without it."""
    package = ApplicationPackage.open(built)
    condition = read_condition("quick.score < found")
    cascade = Cascade(
        step="thorough",
        declared="quick.score < found",
        condition=condition,
        value="label",
        metric="accuracy",
        max_drop=0.1,
        confidence=0.95,
    )
    asked: list[str] = []
    # Every call takes one second.
    monkeypatch.setattr(both_ways, "time", SimpleNamespace(perf_counter=itertools.count().__next__))
    with load_application(package) as application:
        for name in ("small", "large"):
            application.model(name)
        calls = dict(application.calls)

        def counted(name: str) -> None:
            call = calls[name]

            def count(values: object) -> object:
                asked.append(name)
                return call(values)  # type: ignore[arg-type]

            application.calls[name] = count  # type: ignore[index]

        for name in calls:
            counted(name)
        both = ask_both_ways(application, cascade, [{"command": text} for text in TEXTS[:3]], Quiet())
    # One sample before, which loads the models.
    assert asked.count("quick") == asked.count("thorough") == 1 + 3
    assert asked.count("label") == 1 + 2 * 3
    assert all(one.asked == one.trusted for one in both)
    assert {(one.trusted_seconds, one.asked_seconds) for one in both} == {(2, 3)}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("nothing", "", [":16:", "is to be found, and there is no evaluation data", "--evaluation"]),
        ('text = "command"\n\n', 'text = "command"\nwhen = "quick.score > found"\n\n', ["in a ring"]),
        (
            'input.text = "command"\nwhen',
            'input.text = "command"\neach = "command"\nwhen',
            ["for each value of a list"],
        ),
        ("< found", "== found", [":16:", "is not a condition"]),
        ("quick.score < found", "quick.label < found", [":16:", "compares 'quick.label' with a number"]),
        ('max_drop = "10%"', 'max_drop = "ten"', [":23:", "budget.max_drop: 'ten' is not a share"]),
    ],
)
def test_what_cannot_be_found_is_refused_with_its_line(
    folder: Path, command: Command, tmp_path: Path, before: str, after: str, says: list[str]
) -> None:
    source = folder / f"{tmp_path.name}.toml"
    source.write_text(CASCADE.replace(before, after, 1), encoding="utf-8")
    data = () if before == "nothing" else ("--evaluation", folder / "commands.csv")
    command.refuses("build", source, *data, "-o", tmp_path / "new.ortpackage", says=says)


def test_data_has_to_judge_what_comes_of_the_step(folder: Path, command: Command, tmp_path: Path) -> None:
    data = tmp_path / "other.csv"
    data.write_text("command,quick\nturn on the hall light,TurnOn\n", encoding="utf-8")
    says = ["cascade.toml:16:", "no ground truth of a value that comes of the step", "thorough, label"]
    source = folder / "cascade.toml"
    command.refuses("build", source, "--evaluation", data, "-o", tmp_path / "new.ortpackage", says=says)


def test_a_package_with_an_open_threshold_is_refused(built: Path, tmp_path: Path) -> None:
    package = Path(shutil.copytree(built, tmp_path / "copy.ortpackage"))
    record = json.loads((package / "application.json").read_text(encoding="utf-8"))
    record["flow"]["step"]["thorough"]["when"] = "quick.score < found"
    (package / "application.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(PackageError, match="threshold of the step 'thorough' is not a number"):
        ApplicationPackage.open(package)
