"""What runs all examples runs what their pages say, and every example is among them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_all", EXAMPLES / "run_all.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RUN_ALL = load()


def test_every_example_is_run() -> None:
    assert sorted(RUN_ALL.EXAMPLES) == sorted(path.parent.name for path in EXAMPLES.glob("*/README.md"))


@pytest.mark.parametrize("name", RUN_ALL.EXAMPLES)
def test_a_page_goes_from_the_data_to_the_figures(name: str) -> None:
    found = RUN_ALL.commands((EXAMPLES / name / "README.md").read_text(encoding="utf-8"))
    assert {words[0] for words in found} == {"python", "edgewright"}
    scripts = [words[1] for words in found if words[0] == "python"]
    assert scripts
    assert all((EXAMPLES.parent / script).is_file() for script in scripts)
    verbs = [words[1] for words in found if words[0] == "edgewright"]
    assert verbs[0] == "build"
    assert {"run", "bench"} <= set(verbs)
    # What it makes is made below one folder, which is no part of the project.
    made = [words[words.index(option) + 1] for words in found for option in ("--out", "-o") if option in words]
    assert all(re.match(r"demo/", path) for path in made if "/" in path)


def test_a_command_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").mkdir()
    page = "```sh\npip install nothing\npython -c 'raise SystemExit(3)'   # fails\npython -c 'never'\n```\n"
    (tmp_path / "one" / "README.md").write_text(page, encoding="utf-8")
    monkeypatch.setattr(RUN_ALL, "HERE", tmp_path)
    assert RUN_ALL.run("one") == "python -c 'raise SystemExit(3)'"
