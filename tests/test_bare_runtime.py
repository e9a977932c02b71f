"""A device has numpy, onnxruntime and tokenizers; the runtime must need nothing else, and bring nothing else."""

import json
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

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
