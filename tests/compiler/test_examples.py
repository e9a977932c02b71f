"""Examples in docstrings run and give what they show, in all six packages; what a user calls first has one."""

import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import edgewright_benchmarks
import edgewright_cli
import edgewright_compiler
import edgewright_runtime
import edgewright_serving
import edgewright_targets
from edgewright_compiler.applications import build_application
from edgewright_targets import MissingDependencyError

ROOMS = (
    edgewright_cli,
    edgewright_compiler,
    edgewright_benchmarks,
    edgewright_serving,
    edgewright_runtime,
    edgewright_targets,
)
# What a user calls first: each shows how.
SHOWN = (
    "edgewright_benchmarks.applications.bench_whole.bench_application",
    "edgewright_benchmarks.bench.bench",
    "edgewright_benchmarks.data.read_dataset",
    "edgewright_compiler.package_build.build",
    "edgewright_runtime.applications.application.Application.__call__",
    "edgewright_runtime.loading.load",
    "edgewright_runtime.model.Model.__call__",
    "edgewright_runtime.package.Package.open",
    "edgewright_runtime.selftest.verify",
    "edgewright_serving.settings.ServeSettings",
    "edgewright_targets.loading.load_target",
)


ASSISTANT = """\
kind = "application"
answer = ["intent", "reply"]
input = { command = "text" }
model.intents.package = "intents.ortpackage"
step.intent = { model = "intents", input.text = "command" }
step.reply = { do = "template", input.intent = "intent.label", options.text = "{intent} it is." }
"""


def modules() -> Iterator[ModuleType]:
    """All modules of the six packages; those whose library is not installed here are left out."""
    for room in ROOMS:
        yield room
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if found.name.endswith("__main__") or found.name.rpartition(".")[2].endswith("_process"):
                continue
            try:
                yield importlib.import_module(found.name)
            except (ImportError, MissingDependencyError):
                continue


def examples() -> dict[str, doctest.DocTest]:
    """Docstrings with examples, by the name of what has them."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    return {
        test.name: test
        for module in modules()
        for test in finder.find(module, module.__name__, module=module)
        if test.examples
    }


def test_every_example(built_arrays: Path, built_text: Path, sources: Path, tmp_path: Path) -> None:
    """In a folder with a package, its source and data: examples may write there."""
    del built_arrays, built_text
    for source in sources.iterdir():
        (tmp_path / source.name).symlink_to(source)
    lights = "text,label\nturn on the light,HassTurnOn\nlights off,HassTurnOff\n"
    (tmp_path / "lights.csv").write_text(lights, encoding="utf-8")
    commands = "command,intent\nturn on the light,HassTurnOn\nlights off,HassTurnOff\n"
    (tmp_path / "commands.csv").write_text(commands, encoding="utf-8")
    (tmp_path / "assistant.toml").write_text(ASSISTANT, encoding="utf-8")
    build_application(tmp_path / "assistant.toml", tmp_path / "assistant.ortpackage")
    found = examples()
    assert set(SHOWN) <= set(found), sorted(set(SHOWN) - set(found))
    report: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        for test in found.values():
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
            runner.run(test, out=report.append)
    assert not report, "".join(report)
