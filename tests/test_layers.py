"""Imports run one way, down the picture in CONTRIBUTING.md, and the device side stays small."""

import ast
import functools
import graphlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np
import pytest

from edgewright_runtime.providers import PLUGINS

ROOT = Path(__file__).resolve().parent.parent

# Each may import those behind it.
LAYERS = ("cli", "compiler", "benchmarks", "serving", "runtime", "targets")
# Where a layer lies that has no folder of its name at the top.
FOLDERS = {"cli": "compiler", "serving": "runtime"}
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
    "serving": {"numpy", "PIL", "prometheus_client", "starlette", "uvicorn"},
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


@pytest.mark.parametrize("layer", ["targets", "runtime"])
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


def _loaded(arguments: list[str]) -> list[str]:
    """Modules that a process has loaded after a call of the command line, which must end with exit code 0."""
    code = (
        "import json, sys\n"
        "import edgewright_cli\n"
        "try:\n"
        f"    code = edgewright_cli.main({arguments!r})\n"
        "except SystemExit as end:\n"
        "    code = end.code\n"
        "print()\n"
        "print(json.dumps([code, sorted(sys.modules)]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    code_of_call, names = json.loads(done.stdout.splitlines()[-1])
    assert code_of_call == 0, done.stderr
    return list(names)


@pytest.mark.parametrize("verb", ["run", "verify", "serve", "--help"])
def test_a_device_loads_no_compiler_and_no_benchmarks(verb: str, tmp_path: Path) -> None:
    """`edgewright run` must start on a device that has neither."""
    np.savez(tmp_path / "x.npz", pixels=np.zeros((1, 8), dtype=np.float32))
    arguments = {
        "run": ["run", str(ROOT / "tests/data/format-1"), str(tmp_path / "x.npz")],
        "verify": ["verify", "--help"],
        "serve": ["serve", "--help"],
        "--help": ["--help"],
    }
    loaded = _loaded(arguments[verb])
    assert "edgewright_runtime.model" in loaded or verb != "run"
    assert not [name for name in loaded if name.startswith(("edgewright_compiler", "edgewright_benchmarks"))]


def test_every_layer_has_modules() -> None:
    """Guards the two tests above against looking into an empty folder."""
    assert all(list(modules(layer)) for layer in LAYERS)


@functools.cache
def _dependencies() -> dict[str, set[str]]:
    """Module to the modules of ours that it imports, those for types and inside functions included."""
    found = {
        _name(path, layer).removesuffix(".__init__"): [name for _, name in _names(path)]
        for layer in LAYERS
        for path in modules(layer)
    }
    return {module: {_module(name, found) for name in names} - {""} for module, names in found.items()}


def _name(path: Path, layer: str) -> str:
    return ".".join(path.relative_to(ROOT / FOLDERS.get(layer, layer)).with_suffix("").parts)


def _names(path: Path) -> Iterator[tuple[int, str]]:
    """As `imports`, with what is taken from each module behind its name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _module(name: str, found: Mapping[str, object]) -> str:
    """The module of ours in which an imported name is; empty where there is none."""
    return next((part for part in (name, name.rpartition(".")[0]) if part in found), "")


def _circle(dependencies: Mapping[str, AbstractSet[str]]) -> list[str]:
    try:
        graphlib.TopologicalSorter(dependencies).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_in_a_circle() -> None:
    dependencies = _dependencies()
    assert len(dependencies) > 300
    assert not _circle(dependencies)


@pytest.mark.parametrize("layer", LAYERS)
def test_no_rooms_import_in_a_circle(layer: str) -> None:
    """A room is a folder, or a file beside the folders."""
    rooms: dict[str, set[str]] = {}
    for module, others in _dependencies().items():
        package, _, rest = module.partition(".")
        if package == f"edgewright_{layer}" and rest:
            inside = {other.split(".")[1] for other in others if other.startswith(f"{package}.")}
            rooms.setdefault(rest.split(".")[0], set()).update(inside - {rest.split(".")[0]})
    assert not _circle(rooms)


def _picture() -> dict[str, list[str]]:
    """Layer to its folders, from the picture in CONTRIBUTING.md: a room may import those behind it."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = text.split("## The rooms")[1].split("```")[1]
    found: dict[str, list[str]] = {}
    for line in block.splitlines():
        if match := re.match(r"\w+/edgewright_(\w+)", line):
            found[match[1]] = []
        elif match := re.match(r"  (\w+)/", line):
            found[list(found)[-1]].append(match[1])
    return found


def test_the_picture_shows_every_room() -> None:
    picture = _picture()
    assert tuple(picture) == LAYERS
    for layer, folders in picture.items():
        root = ROOT / FOLDERS.get(layer, layer) / f"edgewright_{layer}"
        assert sorted(folders) == sorted(path.name for path in root.iterdir() if (path / "__init__.py").is_file())


@pytest.mark.parametrize("layer", LAYERS)
def test_folders_import_down_the_picture(layer: str) -> None:
    folders = _picture()[layer]
    prefix = f"edgewright_{layer}."
    wrong = [
        f"{module} imports {other}"
        for module, others in _dependencies().items()
        for other in others
        if module.startswith(prefix) and other.startswith(prefix)
        for above, below in [(other.split(".")[1], module.split(".")[1])]
        if above in folders and below in folders and folders.index(above) < folders.index(below)
    ]
    assert not wrong, wrong
