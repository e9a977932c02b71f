"""`edgewright init` writes a build file that builds: with what it finds, and never over one that is there."""

import json
import shutil
from pathlib import Path

import pytest

from command import QUICK, Command
from edgewright_compiler.build_files.look_around import FoundData, Surroundings
from edgewright_compiler.build_files.plan import plan_builds
from edgewright_compiler.build_files.write import build_file_text


@pytest.fixture
def place(sources: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a checkpoint in one folder and its data in another."""
    shutil.copytree(checkpoint, tmp_path / "models" / "intents")
    (tmp_path / "data").mkdir()
    for name in ("train.csv", "validation.csv"):
        shutil.copyfile(sources / name, tmp_path / "data" / name)
    shutil.copyfile(sources / "tiny.toml", tmp_path / "tiny.toml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_it_writes_builds(command: Command, place: Path) -> None:
    shutil.copyfile(place / "data/validation.csv", place / "data/test.csv")
    done = command("init", "models/intents")

    assert done.code == 0
    assert "intents: text-classification with 4 classes." in done.out
    assert "Written: edgewright.toml. Build it: edgewright build" in done.out
    text = (place / "edgewright.toml").read_text(encoding="utf-8")
    assert '# task = "text-classification"' in text
    assert 'evaluation = "data/validation.csv"  # 64 samples, labelled' in text
    assert "# data/test.csv is left for figures to quote: edgewright bench intents.ortpackage" in text
    (planned,) = plan_builds("edgewright.toml")
    assert planned.options.evaluation == "data/validation.csv"
    assert planned.options.calibration == "data/train.csv"
    quick = ("--target", "tiny.toml", *QUICK, "--max-drop", "5%", "--accept-baseline", "-q")
    assert command("build", *quick).code == 0
    assert (place / "intents.ortpackage").is_dir()


def test_a_file_that_is_there_stays(command: Command, place: Path) -> None:
    (place / "edgewright.toml").write_text("mine", encoding="utf-8")
    command.refuses("init", "models/intents", says=["'edgewright.toml' is there already", "--force"])
    assert (place / "edgewright.toml").read_text(encoding="utf-8") == "mine"
    assert command("init", "models/intents", "--force", "-q").code == 0
    assert plan_builds("edgewright.toml")


def test_a_source_that_is_wrong_writes_nothing(command: Command, place: Path) -> None:
    command.refuses("init", "models/intent", says=["The source 'models/intent' does not exist"])
    command.refuses(
        "init", "models/intents", "-o", "a/b.toml", says=["'a/b.toml' cannot be written: there is no folder"]
    )
    command.refuses("init", "models/intents", "-o", "build.txt", says=["the name of a build file ends in .toml"])
    assert not list(place.glob("*build*"))
    assert not (place / "edgewright.toml").exists()


def test_data_that_the_source_does_not_take_is_said(command: Command, place: Path, sources: Path) -> None:
    shutil.copyfile(sources / "perceptron.onnx", place / "perceptron.onnx")
    shutil.copyfile(sources / "inputs.npz", place / "train.npz")

    done = command("init", "perceptron.onnx", "-o", "arrays.toml")

    assert "'data/validation.csv' is not taken as data for evaluation" in done.err_line
    assert "edgewright build --file arrays.toml" in done.out
    text = (place / "arrays.toml").read_text(encoding="utf-8")
    # The nearest that fits, and not the first of that name.
    assert '\ncalibration = "train.npz"  # 24 samples, without labels' in text
    assert "\n# evaluation = " in text
    (planned,) = plan_builds("arrays.toml")
    assert planned.options.evaluation is None


def test_paths_lead_from_the_file(command: Command, place: Path) -> None:
    (place / "builds").mkdir()
    done = command("init", "models/intents", "-o", "builds/intents.toml", "--task", "text-classification", "--json")
    found = json.loads(done.out)
    assert found["source"] == "../models/intents"
    assert found["data"]["evaluation"]["path"] == "../data/validation.csv"
    (planned,) = plan_builds("builds/intents.toml")
    assert Path(planned.source).resolve() == place / "models/intents"
    assert planned.options.task == "text-classification"


def test_labels_beside_a_source_without_them_are_taken(command: Command, place: Path, sources: Path) -> None:
    folder = place / "models" / "intents"
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    names = [config["id2label"][str(index)] for index in range(4)]
    (place / "models" / "labels.txt").write_text("\n".join(names), encoding="utf-8")
    # A source that has them keeps its own.
    assert json.loads(command("init", "models/intents", "--json").out)["labels_file"] == ""
    shutil.copyfile(sources / "labels.txt", place / "labels.txt")
    found = json.loads(command("init", "models/intents", "--labels", "labels.txt", "--force", "--json").out)
    assert (found["labels_file"], found["labels"]) == ("labels.txt", 4)
    (planned,) = plan_builds("edgewright.toml")
    assert planned.options.labels == "labels.txt"


def test_odd_names_are_written_so_that_they_are_read(tmp_path: Path) -> None:
    name = 'a "b" \\ ü \x7f\n[budget]'
    found = Surroundings(
        source=name,
        name="odd",
        task="arrays",
        asked_task=False,
        labels=0,
        labels_file="",
        data={"calibration": FoundData(name, problem="two\nlines = 1")},
    )
    path = tmp_path / "odd.toml"
    path.write_text(build_file_text(found), encoding="utf-8")
    (planned,) = plan_builds(path)
    assert planned.source == name
