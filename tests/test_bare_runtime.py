"""A device has numpy, onnxruntime and tokenizers; the runtime must need nothing else, and bring nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tiny_images
import tiny_targets
from edgewright_compiler import BuildOptions, build
from edgewright_runtime import load

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent

_IMPORT_ALL = """
import importlib, json, pkgutil, sys
imported = []
for name in ("edgewright_targets", "edgewright_runtime"):
    package = importlib.import_module(name)
    imported.append(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            imported.append(module.name)
print(json.dumps({"imported": imported, "loaded": sorted({name.split(".")[0] for name in sys.modules})}))
"""


def test_every_module_imports_with_the_base_dependencies(bare_python: Path, tmp_path: Path) -> None:
    # -W error: what is deprecated today breaks on the device tomorrow. -I: no path but the environment's own.
    done = subprocess.run(
        [bare_python, "-I", "-W", "error", "-c", _IMPORT_ALL], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "edgewright_runtime.worker" in found["imported"]
    assert "edgewright_targets.record" in found["imported"]
    heavy = {"torch", "transformers", "onnx", "onnx_ir", "onnxscript", "scipy", "sklearn", "matplotlib", "jinja2"}
    own = {"edgewright_compiler", "edgewright_benchmarks"}
    assert not (heavy | own) & set(found["loaded"])


def test_the_command_line_says_what_is_missing(bare_python: Path, tmp_path: Path) -> None:
    """The one wheel holds the compiler too; without its extra it must answer with help, not with a traceback."""
    command = bare_python.with_name("edgewright")
    done = subprocess.run([command, "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_images_need_pillow_and_nothing_else(bare_python: Path, tmp_path: Path) -> None:
    pictures = tiny_images.write_pictures(tmp_path / "pictures", each=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        options = BuildOptions(
            output=tmp_path / "colours.ortpackage",
            targets=(str(tiny_targets.write_target(tmp_path / "tiny.toml")),),
            evaluation=pictures,
            task="image-classification",
            labels=tiny_images.LABELS,
        )
        package = build(str(tiny_images.write_onnx(tmp_path / "source")), options).package
    command = [str(bare_python.with_name("edgewright")), "run", str(package), str(pictures / "red" / "0.png"), "--json"]

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | environment)

    alone = run(PYTHONPATH="")
    assert alone.returncode == 2
    assert "the library 'Pillow' is not installed" in alone.stderr
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path / "pillow", "pillow")
    done = subprocess.run([sys.executable, *install, "-c", ROOT / "constraints.txt"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    beside = run(PYTHONPATH=str(tmp_path / "pillow"))
    assert beside.returncode == 0, beside.stderr
    with load(package) as model:
        assert json.loads(beside.stdout)["answers"][0]["labels"] == model(pictures / "red" / "0.png")
