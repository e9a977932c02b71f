"""Kinds of engine and providers: what their tables name is there, and what is there is named in its table."""

import importlib
import tomllib
from pathlib import Path

import pytest

from edgewright_compiler.compile import compiler
from edgewright_runtime.providers import PLUGINS, PROVIDERS, provider
from edgewright_runtime.trt import FLAVOURS
from edgewright_targets.engine_kinds import ENGINE_KINDS

ROOT = Path(__file__).resolve().parent.parent
AHEAD_OF_TIME = [name for name, kind in ENGINE_KINDS.items() if kind.ahead_of_time]


@pytest.mark.parametrize("name", AHEAD_OF_TIME)
def test_a_kind_of_engine_has_a_compiler(name: str) -> None:
    found = compiler(name)
    assert isinstance(found.STATIC_SHAPES, bool)
    assert all(isinstance(tool, str) for tool in found.TOOLS)
    assert callable(found.compile_engine)


def test_a_compiler_makes_a_kind_of_engine() -> None:
    folder = ROOT / "compiler" / "edgewright_compiler" / "compile"
    modules = {path.stem for path in folder.glob("[!_]*.py") if "\ndef compile_engine(" in path.read_text("utf-8")}
    assert modules == {ENGINE_KINDS[name].compiler for name in AHEAD_OF_TIME}


def test_a_plan_has_a_flavour_that_runs_it() -> None:
    assert set(FLAVOURS) == {name for name, kind in ENGINE_KINDS.items() if kind.plan}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_has_its_functions(name: str) -> None:
    found = provider(name)
    assert all(callable(check) for check in found.ALLOWED.values())
    assert all(map(callable, (found.unavailable, found.emulator_unavailable, found.options, found.configure)))


def test_a_module_of_a_provider_is_in_the_table() -> None:
    folder = ROOT / "runtime" / "edgewright_runtime" / "providers"
    names = {path.stem for path in folder.glob("[!_]*.py")}
    assert names == {kind.module for kind in PROVIDERS.values()}
    assert all(hasattr(importlib.import_module(f"edgewright_runtime.providers.{name}"), "ALLOWED") for name in names)


def test_a_plugin_is_in_an_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {wheel.split(">")[0] for extra in project["optional-dependencies"].values() for wheel in extra}
    assert set(PLUGINS) <= wanted
