"""A fusion whose weights are fitted by its build on calibration data of the whole."""

import json
import shutil
from pathlib import Path

import pytest

from command import Command
from edgewright_compiler.applications import build_application
from edgewright_runtime.applications import load_application
from edgewright_runtime.errors import PackageError

FUSION = """\
kind = "application"
answer = ["both"]
input = { command = "text" }

[model]
one.package = "intents.ortpackage"
other.package = "intents.ortpackage"

[step]
first = { model = "one", input.text = "command" }
second = { model = "other", input.text = "command" }
both = { do = "fuse", input = { a = "first", b = "second" }, options.weights = "found" }
"""


@pytest.fixture(scope="module")
def folder(built_text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a fusion, its model and its data."""
    folder = tmp_path_factory.mktemp("fusion")
    shutil.copytree(built_text, folder / "intents.ortpackage")
    (folder / "fusion.toml").write_text(FUSION, encoding="utf-8")
    rows = [
        f"{text},{label}"
        for room in ("kitchen", "hall", "ten")
        for text, label in ((f"turn on the {room} light", "TurnOn"), (f"play some {room} music", "PlayMusic"))
    ]
    (folder / "train.csv").write_text("\n".join(["command,both", *rows]) + "\n", encoding="utf-8")
    return folder


def test_the_weights_are_fitted_and_written(folder: Path, command: Command, tmp_path: Path) -> None:
    output = tmp_path / "fusion.ortpackage"
    data = ("--calibration", folder / "train.csv", "--evaluation", folder / "train.csv")
    done = command("build", folder / "fusion.toml", *data, "--rounds", "2", "--calls", "2", "-o", output)
    assert done.code == 0, done.err
    assert "The weights of 'both' were fitted on this data (train.csv)" in done.err_line
    assert "Weights of 'both', fitted on 6 samples: a " in " ".join(done.out.split())
    with load_application(output) as application:
        options = application.package.checked.flow.step["both"].options
        found = application("turn on the hall light")["both"]
    assert options["method"] == "logistic"
    weights = options["weights"]
    assert isinstance(weights, dict)
    # One model twice: what it knows is shared.
    assert weights["a"] == pytest.approx(weights["b"], abs=0.01)
    assert sum(entry["score"] for entry in found) == pytest.approx(1)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("nothing", "", [":12:", "there is no calibration data of the whole", "--calibration"]),
        ('"found" }', '"found", options.method = "mean" }', [":12:", "which one method can do", "'logistic'"]),
        ('do = "fuse"', 'do = "first"', [":12:", "not a fusion of single values"]),
        ('b = "second"', 'b = "second", context = "command"', [":12:", "by its 'context'", "the input 'context'"]),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_its_line(
    folder: Path, command: Command, tmp_path: Path, before: str, after: str, says: list[str]
) -> None:
    source = folder / f"{tmp_path.name}.toml"
    source.write_text(FUSION.replace(before, after, 1), encoding="utf-8")
    data = () if before == "nothing" else ("--calibration", folder / "train.csv")
    command.refuses("build", source, *data, "-o", tmp_path / "new.ortpackage", says=says)


def test_weights_are_fitted_where_a_threshold_is_found_too(folder: Path, tmp_path: Path) -> None:
    """They are fitted first, and the step whose condition is open then runs for all samples."""
    text = FUSION.replace('"command" }\nboth', '"command", when = "first.score < found" }\nboth')
    text = text.replace('"found" }', '"found" }\nlabel = { do = "first", input = { both = "both", first = "first" } }')
    source = folder / "both.toml"
    source.write_text(text.replace('answer = ["both"]', 'answer = ["label"]'), encoding="utf-8")
    table = (folder / "train.csv").read_text(encoding="utf-8")
    (tmp_path / "test.csv").write_text(table.replace("command,both", "command,label"), encoding="utf-8")
    given = {
        "data.calibration": str(folder / "train.csv"),
        "data.evaluation": str(tmp_path / "test.csv"),
        "data.golden_samples": False,
        "meter.rounds": 2,
        "meter.calls": 2,
    }
    made = build_application(source, tmp_path / "both.ortpackage", given=given)
    assert made.whole.result is not None
    assert made.whole.result.fitted[0].samples == 6
    assert made.whole.result.thresholds[0].step == "second"


def test_calibration_data_needs_the_column_of_the_step(folder: Path, command: Command, tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text("command\nlights on\n", encoding="utf-8")
    says = ["'plain.csv' has no column 'both'", "weights of that step are to be fitted"]
    data = ("--calibration", tmp_path / "plain.csv")
    command.refuses("build", folder / "fusion.toml", *data, "-o", tmp_path / "new.ortpackage", says=says)


def test_weights_that_were_found_are_never_a_text_in_a_package(folder: Path) -> None:
    made = build_application(
        folder / "fusion.toml", folder / "made.ortpackage", given={"data.calibration": str(folder / "train.csv")}
    )
    record = json.loads((made.package / "application.json").read_text(encoding="utf-8"))
    assert isinstance(record["flow"]["step"]["both"]["options"]["weights"], dict)
    record["flow"]["step"]["both"]["options"]["weights"] = "found"
    (made.package / "application.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(PackageError, match="the step 'both' has wrong options"):
        load_application(made.package)
