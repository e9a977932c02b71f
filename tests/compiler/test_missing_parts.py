"""A library that is not installed: the command that installs it, before any long work."""

from pathlib import Path

import pytest

import tiny_images
from command import QUICK, Outcome, run_apart

pytestmark = pytest.mark.slow

# Python imports a module of this name by itself when it starts, from PYTHONPATH.
_BLOCKER = """
import sys


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Blocker())
"""


class Without:
    """The command line on a machine where some libraries are not installed."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.cache = cache

    def __call__(self, blocked: set[str], *arguments: object) -> Outcome:
        (self.folder / "sitecustomize.py").write_text(_BLOCKER.format(blocked=blocked), encoding="utf-8")
        return run_apart(*arguments, cache=self.cache, env={"PYTHONPATH": str(self.folder)}, cwd=self.folder)


@pytest.fixture
def without(tmp_path: Path, shared_cache: Path) -> Without:
    return Without(tmp_path, shared_cache)


@pytest.mark.parametrize("library", ["onnx", "onnx_ir", "sklearn", "scipy", "filelock"])
def test_a_build_asks_before_it_begins(without: Without, sources: Path, library: str) -> None:
    source = (sources / "perceptron.onnx", "--calibration", sources / "inputs.npz", "-o", without.folder / "p", *QUICK)
    outcome = without({library}, "build", *source)
    outcome.check_refusal([f"the library '{library}', which is not installed", "pip install 'edgewright[compiler]'"])
    assert not (without.folder / "p").exists()


def test_pictures_need_pillow(without: Without, tmp_path: Path) -> None:
    source = tiny_images.write_onnx(tmp_path / "colours")
    pictures = tiny_images.write_pictures(tmp_path / "pictures", each=1)
    task = ("--task", "image-classification", "--labels", source.parent / "labels.txt", "--evaluation", pictures)
    outcome = without({"PIL"}, "build", source, *task, "-o", without.folder / "p", "-q")
    outcome.check_refusal(["the library 'PIL", "pip install 'edgewright[image]'"])
    assert not (without.folder / "p").exists()


@pytest.mark.parametrize("library", ["torch", "transformers"])
def test_a_checkpoint_needs_its_framework(without: Without, sources: Path, checkpoint: Path, library: str) -> None:
    data = ("--calibration", sources / "train.csv")
    # A cache of its own: what was exported before needs no framework any more.
    without.cache = without.folder / "cache"
    outcome = without({library}, "build", checkpoint, *data, "-o", without.folder / "p", "-q")
    outcome.check_refusal([f"the library '{library}'", "pip install 'edgewright[compiler]'"])
    assert not (without.folder / "p").exists()


def test_a_torch_module_needs_torch(without: Without) -> None:
    outcome = without({"torch"}, "build", "module:function", "-o", without.folder / "p")
    outcome.check_refusal(["the library 'torch'", "pip install 'edgewright[compiler]'"])


@pytest.mark.parametrize(
    ("library", "extra", "report"),
    [("sklearn", "bench", None), ("scipy", "bench", None), ("filelock", "bench", None), ("jinja2", "report", "r.html")],
)
def test_a_bench_asks_before_it_measures(
    without: Without, built_arrays: Path, sources: Path, library: str, extra: str, report: str | None
) -> None:
    wanted = ("--report", without.folder / report) if report else ()
    # Data that is not there: whoever reads it first has not asked for the library before.
    outcome = without({library}, "bench", built_arrays, "--data", sources / "missing.npz", *wanted)
    outcome.check_refusal([f"the library '{library}'", f"pip install 'edgewright[{extra}]'"])


@pytest.mark.parametrize("library", ["sklearn", "scipy"])
def test_finish_asks_before_it_begins(without: Without, built_arrays: Path, library: str) -> None:
    outcome = without({library}, "finish", built_arrays)
    outcome.check_refusal([f"the library '{library}'", "pip install 'edgewright[bench]'"])


def test_text_needs_a_tokenizer(without: Without, built_text: Path) -> None:
    outcome = without({"tokenizers"}, "run", built_text, "play music")
    outcome.check_refusal(["the library 'tokenizers' is not installed", "pip install tokenizers"])


def test_a_device_needs_no_compiler(without: Without, built_text: Path, built_arrays: Path, sources: Path) -> None:
    """What a device does works with the base dependencies, archives and array models included."""
    compiler = {"torch", "transformers", "onnx", "onnx_ir", "onnxscript", "sklearn", "scipy", "filelock", "tqdm"}
    for words in (
        ("run", built_text, "play some loud music"),
        ("run", built_arrays, sources / "inputs.npz"),
        ("verify", f"{built_text}.tar"),
        ("inspect", built_text),
        ("targets",),
        ("--version",),
    ):
        outcome = without(compiler | {"psutil", "jinja2", "matplotlib"}, *words)
        assert outcome.code == 0, outcome.err


def test_help_is_light(without: Without) -> None:
    """Nobody waits for a framework to read how to call it."""
    heavy = {"torch", "onnxruntime", "numpy", "transformers", "onnx", "scipy", "sklearn", "tokenizers", "onnx_ir"}
    for words in (("--help",), ("build", "--help"), ("run", "--help"), ("bench", "--help"), ("targets",)):
        outcome = without(heavy, *words)
        assert outcome.code == 0, outcome.err
