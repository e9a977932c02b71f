"""Imports run one way, cli -> compiler -> benchmarks -> runtime -> targets, and the device side stays small."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgewright_runtime.providers import PLUGINS

ROOT = Path(__file__).resolve().parent.parent

# Each may import those behind it.
LAYERS = ("cli", "compiler", "benchmarks", "runtime", "targets")
# Where a layer lies that has no folder of its name at the top.
FOLDERS = {"cli": "compiler"}
# Wheels of providers' plugins, as modules.
PLUGIN_MODULES = {plugin.replace("-", "_") for plugin in PLUGINS}
# All that the device side may import beyond Python; a provider's plugin is imported where it is asked for.
DEVICE = {
    "targets": set[str](),
    "runtime": {
        "numpy",
        "onnxruntime",
        "tokenizers",
        "PIL",
        "av",
        "soundfile",
        "soxr",
        *PLUGIN_MODULES,
    },
}


def modules(layer: str) -> Iterator[Path]:
    yield from sorted((ROOT / FOLDERS.get(layer, layer) / f"edgewright_{layer}").rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every module that a file imports, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import; name the whole path"
            yield node.lineno, str(node.module)


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_run_one_way(layer: str) -> None:
    ahead = {f"edgewright_{name}" for name in LAYERS[: LAYERS.index(layer)]}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(layer)
        for line, name in imports(path)
        if name.split(".")[0] in ahead
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("layer", DEVICE)
def test_the_device_side_needs_its_dependencies_only(layer: str) -> None:
    own = {f"edgewright_{name}" for name in LAYERS}
    allowed = DEVICE[layer] | own | sys.stdlib_module_names
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(layer)
        for line, name in imports(path)
        if name.split(".")[0] not in allowed
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("layer", DEVICE)
def test_the_device_side_is_tested_without_the_rooms_ahead(layer: str) -> None:
    """What needs a build, or another room's opinion, is a test of that room or of a whole family."""
    ahead = {f"edgewright_{name}" for name in LAYERS[: LAYERS.index("runtime")]}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sorted((ROOT / "tests" / layer).rglob("*.py"))
        for line, name in imports(path)
        if name.split(".")[0] in ahead
    ]
    assert not wrong, wrong


def test_every_layer_has_modules() -> None:
    """Guards the two tests above against looking into an empty folder."""
    assert all(list(modules(layer)) for layer in LAYERS)
