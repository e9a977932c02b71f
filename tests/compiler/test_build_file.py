"""A build file says what a build is: it is replayed, options win over it, and what is wrong in it has its line."""

import json
from pathlib import Path

import pytest

from command import QUICK, Command, Outcome
from edgewright_benchmarks.bench import build_evidence
from edgewright_compiler import BuildOptions
from edgewright_compiler.build_files.form import BuildFile
from edgewright_compiler.build_files.plan import plan_builds
from edgewright_compiler.building.setting_kinds import SETTINGS
from edgewright_compiler.building.settings_in_force import settings_in_force
from edgewright_runtime import Package
from edgewright_targets import InputError
from edgewright_targets.findings import CollectedInputError

# The least that a build can measure; relative paths lead from the file.
ARRAYS = """\
kind = "build"
source = "perceptron.onnx"
output = "p.ortpackage"
targets = ["tiny.toml"]
data.calibration = "inputs.npz"

[budget]
max_drop = "5%"

[meter]
rounds = 2
calls = 4
loads = 1
"""
TWO = """\
kind = "build"
targets = ["tiny.toml"]
meter = { rounds = 2, calls = 4, loads = 1 }
budget = { max_drop = "5%" }

[model.lost]
source = "nowhere.onnx"

[model.arrays]
source = "perceptron.onnx"
data.calibration = "inputs.npz"
budget = { max_drop = 0.5 }
"""


@pytest.fixture
def place(sources: Path, tmp_path: Path) -> Path:
    """A folder with what the files name."""
    for name in ("perceptron.onnx", "inputs.npz", "tiny.toml"):
        (tmp_path / name).write_bytes((sources / name).read_bytes())
    return tmp_path


def _write(place: Path, text: str = ARRAYS) -> Path:
    path = place / "edgewright.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _settings(package: Path) -> dict[str, tuple[str, str]]:
    return {one.name: (one.value, one.origin) for one in build_evidence(Package.open(package)).build_settings}


def test_it_is_replayed(command: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(place)
    monkeypatch.chdir(place)

    assert command("build", "-q").code == 0

    built = build_evidence(Package.open(place / "p.ortpackage"))
    assert (built.max_drop, built.settings.rounds, built.settings.calls) == (0.05, 2, 4)
    assert {len(engine.load_seconds) for engine in built.engines} == {1}
    settings = _settings(place / "p.ortpackage")
    assert settings["budget.max_drop"] == ("5%", "file")
    assert settings["budget.confidence"] == ("95%", "default")
    assert settings["source"] == ("perceptron", "file")
    assert settings["task"] == ("arrays", "found")
    assert settings["data.calibration"] == ("inputs.npz", "file")
    assert list(settings) == [name for name, kind in SETTINGS.items() if kind.recorded]
    again = command("build")
    assert "up to date" in again.err
    shown = command("inspect", place / "p.ortpackage").out
    assert all(name in shown for name in settings)
    assert "budget.max_drop         5%" in shown


def test_paths_are_relative_to_the_file(command: Command, place: Path) -> None:
    # The working folder is another one, and has none of them.
    path = _write(place)
    assert command("build", "--file", path, "-q").code == 0
    assert (place / "p.ortpackage/manifest.json").is_file()


def test_the_same_words_on_the_command_line_are_the_same_build(command: Command, place: Path) -> None:
    path = _write(place)
    assert command("build", "-f", path, "-q").code == 0
    data = ("--calibration", place / "inputs.npz", "--target", place / "tiny.toml", *QUICK)
    words = ("build", place / "perceptron.onnx", "-o", place / "p.ortpackage", *data, "--max-drop", "5%")
    assert "up to date" in command(*words).err


def test_options_win_and_it_is_said(command: Command, place: Path) -> None:
    path = _write(place)

    done = command("build", "-f", path, "--max-drop", "40%", "--rounds", "2", "-o", place / "q.ortpackage")

    assert done.code == 0
    assert f"--max-drop 40% takes the place of budget.max_drop = 5% ({path}:8)." in done.err_line
    assert f"takes the place of output = p.ortpackage ({path}:3)." in done.err_line
    # The same value takes nobody's place.
    assert "--rounds 2 takes" not in done.err_line
    settings = _settings(place / "q.ortpackage")
    assert settings["budget.max_drop"] == ("40%", "command line")
    assert settings["meter.rounds"] == ("2", "command line")
    assert not (place / "p.ortpackage").exists()


def test_another_rule_of_a_gate_is_another_package(command: Command, place: Path) -> None:
    path = _write(place)
    assert command("build", "-f", path, "-q").code == 0
    _write(place, f'{ARRAYS}\n[gates]\nfail_on = "latency.p50 > +5%"\n')
    assert "up to date" not in command("build", "-f", path).err
    assert _settings(place / "p.ortpackage")["gates.fail_on"] == ("latency.p50 > +5%", "file")


def _both(command: Command, path: Path, *more: str) -> Outcome:
    return command("build", "-f", path, *more)


def test_several_models_go_on_after_a_failure(command: Command, place: Path) -> None:
    done = _both(command, _write(place, TWO))

    assert done.code == 2
    assert "error: lost: There is no ONNX file" in done.err_line
    lines = done.out.splitlines()[-3:]
    assert lines[0].split() == ["model", "status", "ships", "size"]
    assert lines[1].startswith("lost    failed  There is no ONNX file")
    assert lines[2].startswith("arrays  built   tiny-cpu-")
    assert build_evidence(Package.open(place / "arrays.ortpackage")).max_drop == 0.5

    data = json.loads(_both(command, place / "edgewright.toml", "--json").out)
    assert [entry["model"] for entry in data["builds"]] == ["lost", "arrays"]
    assert data["builds"][0]["exit_code"] == 2
    assert data["builds"][1]["unchanged"] is True


def test_one_of_several(command: Command, place: Path) -> None:
    path = _write(place, TWO)
    assert _both(command, path, "--only", "arrays", "-q").code == 0
    command.refuses("build", "-f", path, "--only", "arays", says=["no model 'arays'", "It has lost, arrays."])
    command.refuses("build", "-f", path, "-o", "p", says=["2 builds, which cannot share --output", "--only NAME"])


def test_a_failed_check_of_one_of_several_is_exit_code_1(
    command: Command, place: Path, sources: Path, checkpoint: Path
) -> None:
    # Random weights give one class for all texts, which is found when the float model has run.
    data = f"data = {{ calibration = '{sources / 'train.csv'}', evaluation = '{sources / 'validation.csv'}' }}"
    done = _both(command, _write(place, TWO.replace('"nowhere.onnx"', f"'{checkpoint}'\n{data}")))
    assert done.code == 1
    assert done.out.splitlines()[-2].startswith("lost    failed  The float model itself is wrong")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("max_dorp = 1", [":2: unknown key 'max_dorp'"]),
        ("budget.max_dorp = 1", [":2: budget: unknown key 'max_dorp'.", "Did you mean 'max_drop'?"]),
        ("\nsauce = 'a'", [":3: unknown key 'sauce'.", "Did you mean 'source'"]),
        ("archive = 1", [":2: archive: expected bool, found int 1"]),
        ("targets = 'host'", [":2: targets: expected a list, found str 'host'"]),
        ("targets = []", [":2: targets: it is empty"]),
        ("source = ''", [":2: source: it is empty"]),
        ('source = "a\\u0000b"', [":2: source: it has a character that no name has"]),
        ("[budget]\nmax_drop = true", [":3: budget: max_drop: expected str or float, found bool True"]),
        ("[budget]\nmax_drop = 1", [":3: budget.max_drop: '1.0' is not between 0% and 100%"]),
        ("[budget]\nmax_drop = 'much'", [":3: budget.max_drop: 'much' is not a share; write 1% or 0.01"]),
        ("[budget]\nconfidence = nan", [":3: budget.confidence: 'nan' is not above 50%"]),
        ("[budget]\nsearch = 'long'", [":3: budget.search: 'long' is not a time such as 10m"]),
        ("[budget]\nsearch = 0", [":3: budget.search: '0' is not a time"]),
        ("[meter]\nrounds = 0", [":3: meter.rounds: 0 is not above zero"]),
        ("[data]\nevaluation = 'lost.csv'", [":3: data.evaluation: There is no data file"]),
        ("[gates]\nfail_on = ''", [":3: gates.fail_on: it is empty"]),
        ("[gates]\nfail_on = 'latency.p51 > +5%'", [":3: gates.fail_on: The rule", "'latency.p51'. Did you mean"]),
        ("[gates]\nfail_on = 'size > 20 pounds'", [":3: gates.fail_on: The rule", "the unit 'pounds'"]),
        (
            "[model.a.gates]\nfail_on = 'accuracy < +1, size'",
            [":3: gates.fail_on: The rule 'accuracy < +1' would fail", ":3: gates.fail_on: 'size' is not a rule"],
        ),
        ("[model.a]\n[model.b]\noutput = 'a.ortpackage'", ["models 'a' and 'b' would be written to the same folder"]),
        ("source = 'x'\n[model.a]", [":2: 'source' stands above tables of models"]),
        ("[model.'../a']\nsource = 'x'", [":2: '../a' cannot be the name of a model"]),
        ("[model.a]\nmodel = 1", [":3: model.a: unknown key 'model'"]),
        ("kind = 'target'", [":1: this file declares a target; a build is expected here", "--target FILE"]),
        ("schema = 2", [":2: the file has schema 2"]),
        ("source =", ["is not valid TOML"]),
        ("source = 'perceptron.onnx'", ["it does not say the key 'output'", "pass --output"]),
        ("output = 'p'", ["it does not say the key 'source'", "pass SOURCE"]),
    ],
)
def test_what_is_wrong_has_its_line(command: Command, tmp_path: Path, text: str, says: list[str]) -> None:
    path = tmp_path / "edgewright.toml"
    path.write_text(text if "kind" in text else f'kind = "build"\n{text}', encoding="utf-8")
    command.refuses("build", "-f", path, says=says)
    assert sorted(tmp_path.iterdir()) == [path]


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = _write(
        tmp_path, 'kind = "build"\n[meter]\nrounds = 0\n[model.a.budget]\nmax_drop = 2\n[model.b]\nlabels = ""\n'
    )
    with pytest.raises(CollectedInputError) as caught:
        plan_builds(path)
    assert [str(error).split(": ")[1] for error in caught.value.errors] == [
        "meter.rounds",
        "budget.max_drop",
        "labels",
    ]


def test_without_a_source_and_a_file_both_ways_are_said(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command.refuses("build", says=["there is no edgewright.toml here", "edgewright build SOURCE", "edgewright init"])
    command.refuses("build", "x.onnx", says=["required: --output"])
    command.refuses("build", "-f", "lost.toml", says=["The build file 'lost.toml' cannot be read"])


def test_a_source_on_the_command_line_leaves_the_file_alone(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(place, "this is not even TOML")
    monkeypatch.chdir(place)
    words = ("--calibration", "inputs.npz", "--target", "tiny.toml", *QUICK, "-q")
    assert command("build", "perceptron.onnx", "-o", "p.ortpackage", *words).code == 0


def test_names_that_are_no_paths_stay_names(tmp_path: Path) -> None:
    path = _write(
        tmp_path, 'kind = "build"\nsource = "package.module:make"\noutput = "p"\ntargets = ["host", "a.toml"]\n'
    )
    (planned,) = plan_builds(path)
    assert planned.source == "package.module:make"
    assert planned.options.targets == ("host", str(tmp_path / "a.toml"))
    # Nothing beside somebody's shell is taken for what lies beside the file.
    (tmp_path / "shell").mkdir()
    (tmp_path / "shell" / "m.onnx").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path / "shell")
        (planned,) = plan_builds(_write(tmp_path, 'kind = "build"\nsource = "m.onnx"\noutput = "p"\n'))
    assert planned.source == str(tmp_path / "m.onnx")


def test_every_key_is_a_setting_and_every_setting_a_key() -> None:
    def keys(form: object, table: str = "") -> set[str]:
        found = set()
        for name in vars(form):
            value = getattr(form, name)
            if name == "model":
                continue
            found |= {f"{table}{name}"} if value is None else keys(value, f"{name}.")
        return found

    assert keys(BuildFile()) == set(SETTINGS)


def test_a_program_that_calls_is_told_from_defaults() -> None:
    options = BuildOptions(output="p", max_drop=0.02)
    origins = {one.name: one.origin for one in settings_in_force(options, {"task": "arrays"})}
    assert origins["budget.max_drop"] == "call"
    assert origins["budget.confidence"] == "default"
    assert origins["task"] == "found"


def test_a_file_of_that_kind_in_the_place_of_a_source_is_told_where_it_belongs(command: Command, place: Path) -> None:
    path = _write(place)
    command.refuses("build", path, "-o", place / "p", says=["declares a build", "edgewright build --file FILE"])
    with pytest.raises(InputError, match="describes no model 'a'"):
        plan_builds(path, only="a")
