"""Rules of `compare` from a build file: found as `build` finds it, its place said, its data not looked for."""

import json
from pathlib import Path

import pytest

from benchmarks.report_fixtures import build_result
from command import Command
from edgewright_benchmarks.result_files import write_result

# Neither source nor data are there: a job that compares does not need them.
ONE = """\
kind = "build"
source = "checkpoints/intents"
data.evaluation = "validation.csv"

[gates]
fail_on = "size > +1%, mine.scores:close < -5, accuracy < -5"
"""
TWO = """\
kind = "build"
gates.fail_on = "size > +1%"

[model.one]
source = "one.onnx"

[model.two]
source = "two.onnx"
gates.fail_on = "accuracy < -5"
"""


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stored result, which lies in the working folder."""
    monkeypatch.chdir(tmp_path)
    write_result(build_result(kind="bench"), tmp_path / "base.json")
    return tmp_path / "base.json"


def test_the_build_file_of_the_folder_has_the_rules(command: Command, base: Path) -> None:
    Path("edgewright.toml").write_text(ONE.replace("mine.scores:close < -5, ", ""), encoding="utf-8")
    outcome = command("compare", base, base, "--markdown", "out.md")
    assert outcome.code == 0, outcome.err
    assert "Rules from edgewright.toml:6:" in outcome.out
    assert "pass  size > +1%" in outcome.out
    assert "Rules from edgewright.toml:6:" in Path("out.md").read_text(encoding="utf-8")
    found = json.loads(command("compare", base, base, "--json").out)
    assert (found["rules_from"], len(found["rules"])) == ("edgewright.toml:6", 2)


def test_rules_of_the_call_take_their_place(command: Command, base: Path) -> None:
    Path("edgewright.toml").write_text("this is not even TOML", encoding="utf-8")
    outcome = command("compare", base, base, "--fail-on", "size > +1%")
    assert "Rules from the command line:" in outcome.out
    for option in ("--build-file", "--only"):
        command.refuses(
            "compare", base, base, "--fail-on", "size > +1%", option, "x", says=[f"{option} and --fail-on both say"]
        )
    command.refuses("compare", base, base, says=["edgewright.toml", "is not valid TOML"])


def test_a_file_without_rules(command: Command, base: Path) -> None:
    Path("edgewright.toml").write_text('kind = "build"\n', encoding="utf-8")
    outcome = command("compare", base, base)
    assert outcome.code == 0
    assert "Rules from" not in outcome.out
    command.refuses(
        "compare", base, base, "--build-file", "edgewright.toml", says=["has no rules", "[gates] with fail_on ="]
    )
    command.refuses("compare", base, base, "--build-file", "lost.toml", says=["'lost.toml' cannot be read"])
    Path("edgewright.toml").unlink()
    command.refuses("compare", base, base, "--only", "one", says=["--only needs a build file"])


def test_of_several_models_one_is_named(command: Command, base: Path) -> None:
    Path("several.toml").write_text(TWO, encoding="utf-8")
    compare = ("compare", base, base, "--build-file", "several.toml")
    command.refuses(*compare, says=["has other rules for each of several models", "--only NAME: one, two"])
    command.refuses(*compare, "--only", "three", says=["describes no model 'three'", "It has one, two."])
    assert "Rules from several.toml:2:" in command(*compare, "--only", "one").out
    assert "Rules from several.toml:9:" in command(*compare, "--only", "two").out
    Path("several.toml").write_text(TWO.replace("accuracy < -5", "size > +1%"), encoding="utf-8")
    assert command(*compare).code == 0


def test_a_wrong_rule_has_its_line(command: Command, base: Path) -> None:
    Path("edgewright.toml").write_text(ONE.replace("accuracy <", "acuracy <"), encoding="utf-8")
    command.refuses(
        "compare", base, base, says=["edgewright.toml:6: gates.fail_on: The rule", "Did you mean 'accuracy'"]
    )
    # One of the user's own may be any, until there is a result that does not have it.
    Path("edgewright.toml").write_text(ONE, encoding="utf-8")
    command.refuses("compare", base, base, says=["names the unknown figure 'mine.scores:close'"])
