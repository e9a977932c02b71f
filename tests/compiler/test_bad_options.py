"""Options and places that cannot be: targets, budgets, outputs."""

import platform
import shutil
from pathlib import Path

import pytest

from command import QUICK, Command


@pytest.fixture
def arrays(sources: Path) -> tuple[object, ...]:
    return (sources / "perceptron.onnx", "--calibration", sources / "inputs.npz")


def test_an_unknown_target(command: Command, arrays: tuple[object, ...]) -> None:
    command.refuses_build(
        *arrays, "--target", "hosts", says=["Unknown target 'hosts'", "Did you mean 'host'?", "x86-64"]
    )
    command.refuses_build(*arrays, "--target", "pi.toml", says=["The target file 'pi.toml' cannot be read"])


def test_a_target_that_cannot_be_reached(command: Command, arrays: tuple[object, ...], tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    text = command.target.read_text(encoding="utf-8")
    path.write_text(
        text.replace(f'architecture = "{platform.machine()}"', 'architecture = "riscv64"'), encoding="utf-8"
    )
    says = ["Target 'board' (riscv64) cannot be reached", "no emulator for riscv64", "'--target host'"]
    command.refuses_build(*arrays, "--target", path, says=says)


def test_the_same_target_twice(command: Command, arrays: tuple[object, ...]) -> None:
    command.refuses_build(*arrays, "--target", "x86-64", "--target", "x86-64", says=["must all be different"])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("baseline =", "base_line =", ["unknown key 'base_line'", "Did you mean 'baseline'"]),
        ('precision = "int8"\n', "", ["candidate[1]: the key 'precision' is missing"]),
        ('method = "static"', 'method = "statik"', ["'statik' is not allowed", "'static'"]),
        ('method = "static"', 'method = "static"\nper_channel = 1', ["expected bool, found int 1"]),
        ('recipe = "int8"', 'recipe = "int9"', ["unknown recipe 'int9'", "Did you mean 'int8'"]),
        (
            'provider = "CPU',
            'provider = "GPU',
            ["Unknown execution provider 'GPUExecutionProvider'", "Did you mean 'CPU"],
        ),
        ('baseline = "cpu-fp32"', 'baseline = "cpu-int8"', ["the baseline 'cpu-int8' is static", "with float"]),
        (
            'baseline = "cpu-fp32"',
            'baseline = "cpu-fp31"',
            ["'cpu-fp31' is not a candidate", "Did you mean 'cpu-fp32'"],
        ),
        ('name = "cpu-int8"', 'name = "../cpu-int8"', ["'../cpu-int8' is not a name"]),
        ('name = "cpu-int8"', 'name = "cpu-fp32"', ["two candidates have the name"]),
        ('name = "cpu-int8"', 'name = "cpu-int8"\npad_to_multiple_of = 0', ["pad_to_multiple_of is 0"]),
        (
            'name = "cpu-int8"\n',
            'name = "cpu-int8"\ntasks = ["text-clasification"]\n',
            [":20: candidate 'cpu-int8': tasks: 'text-clasification' is not known", "Did you mean 'text-class"],
        ),
        ("[recipe.fp32]", "[recipe.fp32", ["not valid TOML"]),
    ],
)
def test_a_target_file_that_is_wrong(
    command: Command, arrays: tuple[object, ...], tmp_path: Path, old: str, new: str, says: list[str]
) -> None:
    text = command.target.read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert old in text
    command.refuses_build(*arrays, "--target", path, says=says)


@pytest.mark.parametrize("value", ["much", "", "100%", "-1", "1e9", "nan", "1%%", "-5%"])
def test_a_budget_that_is_none(command: Command, arrays: tuple[object, ...], value: str) -> None:
    command.refuses_build(*arrays, f"--max-drop={value}", says=["--max-drop"])


@pytest.mark.parametrize("option", ["--threads", "--rounds", "--calls", "--loads"])
@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_a_number_that_is_none(command: Command, arrays: tuple[object, ...], option: str, value: str) -> None:
    command.refuses_build(*arrays, f"{option}={value}", says=[option, "not a whole number above zero"])


def test_an_output_that_is_something_else(command: Command, arrays: tuple[object, ...], tmp_path: Path) -> None:
    def refused(path: Path, *says: str) -> None:
        command.refuses("build", *arrays, "-o", path, *QUICK, "--target", command.target, says=[f"'{path}'", *says])

    says = "exists and is not a package folder; it is not overwritten"
    file = tmp_path / "file"
    file.write_text("precious", encoding="utf-8")
    refused(file, says, "another -o")
    assert file.read_text(encoding="utf-8") == "precious"
    folder = tmp_path / "folder"
    folder.mkdir()
    # A browser extension has a manifest.json as well.
    (folder / "manifest.json").write_text('{"manifest_version": 3}', encoding="utf-8")
    refused(folder, says)
    assert [path.name for path in folder.iterdir()] == ["manifest.json"]
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    refused(link, says)
    refused(tmp_path / "no" / "parent", "there is no folder", str(tmp_path / "no"))
    refused(file / "below", "there is no folder")
    archive = tmp_path / "new.tar"
    archive.mkdir()
    refused_archive = ("build", *arrays, "-o", tmp_path / "new", "--archive", *QUICK)
    command.refuses(*refused_archive, says=[f"'{archive}' exists and is not a file"])
    assert not (tmp_path / "new").exists()


def test_an_output_in_the_folder_where_one_stands(
    command: Command, arrays: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-o .` has no name of its own; it must not be taken for anything else than the folder that it is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "precious").touch()
    command.refuses("build", *arrays, "-o", ".", *QUICK, says=["exists and is not a package folder"])
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_damaged_package_may_be_replaced(
    command: Command, arrays: tuple[object, ...], package: Path, tmp_path: Path
) -> None:
    (package / "manifest.json").write_text("{", encoding="utf-8")
    made = command("build", *arrays, "-o", package, *QUICK, "--target", command.target, "-q")
    assert made.code == 0, made.err
    assert command("verify", package).code == 0
    assert [path.name for path in tmp_path.iterdir()] == [package.name]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["build"], ["No source is named, and there is no edgewright.toml here"]),
        (["build", "x.onnx"], ["The following argument is required: --output"]),
        (["biuld"], ["invalid choice: 'biuld'", "build"]),
        ([], ["required: VERB"]),
        (["run"], ["required: package, inputs"]),
        (["bench", "p"], ["required: --data"]),
        (["cache", "burn"], ["invalid choice: 'burn'", "clear"]),
        (["cache", "--older-than", "3"], ["--older-than needs the action 'clear'"]),
        (["inspect", "p", "--strict"], ["unrecognized arguments: --strict"]),
    ],
)
def test_wrong_use(command: Command, words: list[str], says: list[str]) -> None:
    command.refuses(*words, says=says)


@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        ("--report", "report.pdf", "a report ends in .html or .md"),
        ("--report", "no/report.html", "there is no folder"),
        ("--output", "no/raw.json", "there is no folder"),
        ("--output", "folder", "it is a folder"),
    ],
)
def test_files_of_bench(
    command: Command, built_arrays: Path, sources: Path, tmp_path: Path, option: str, name: str, words: str
) -> None:
    (tmp_path / "folder").mkdir()
    data = ("--data", sources / "inputs.npz")
    command.refuses("bench", built_arrays, *data, option, tmp_path / name, says=[str(tmp_path / name), words])
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_bench_that_fails_leaves_no_file(command: Command, built_arrays: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    command.refuses("bench", built_arrays, "--data", "missing.npz", "--report", report, says=["missing.npz"])
    assert list(tmp_path.iterdir()) == []


def test_a_cache_folder_that_is_a_file(
    command: Command, arrays: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, built_arrays: Path
) -> None:
    file = tmp_path / "cache"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    says = [f"The cache folder '{file / 'edgewright'}' cannot be written", "XDG_CACHE_HOME"]
    command.refuses_build(*arrays, says=says)
    command.refuses("bench", built_arrays, "--data", arrays[-1], says=says)
    archive = Path(shutil.copy(f"{built_arrays}.tar", tmp_path))
    command.refuses("verify", archive, says=[f"'{archive}' cannot be unpacked into", "XDG_CACHE_HOME"])
