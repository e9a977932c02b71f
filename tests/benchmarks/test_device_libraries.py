"""Libraries of a device: what steps need is known, and versions there are held against what this version asks for."""

import subprocess
import sys
from importlib import metadata

import pytest

from edgewright_benchmarks.devices.wheels import BASE, needed, unfit
from edgewright_runtime.manifest import ComparisonSpec, PipelineSpec, StepSpec
from edgewright_runtime.steps import STEPS
from reached import libraries_reached
from test_layers import DEVICE, PLUGIN_MODULES

# What the runtime imports, but for what each package needs and what providers bring.
OPTIONAL = DEVICE["runtime"] - {"numpy", "onnxruntime", *PLUGIN_MODULES}
PLACES = {name: f"edgewright_runtime.steps.{kind.place}" for name, kind in STEPS.items()}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_says_which_libraries_it_imports(step: str) -> None:
    found = libraries_reached(PLACES[step], "edgewright_runtime", frozenset(OPTIONAL), PLACES)
    assert found == set(STEPS[step].libraries)


def test_steps_are_there_without_any_library() -> None:
    """A package of texts needs no library of pictures, though one file may hold steps of both."""
    blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in sorted(OPTIONAL))
    places = [place.partition(":") for place in PLACES.values()]
    imports = "".join(f"from {module} import {name}\n" for module, _, name in places)
    done = subprocess.run([sys.executable, "-c", f"import sys\n{blocked}{imports}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_all_that_steps_import_can_be_copied() -> None:
    distributions = metadata.packages_distributions()
    imported = {name.lower() for module in OPTIONAL for name in distributions[module]}
    # Parts of soundfile stand beside it.
    assert set(needed(STEPS)) == {*BASE, *imported, "cffi", "typing-extensions"}


def test_a_pipeline_needs_what_its_steps_need() -> None:
    assert needed(["infer"]) == BASE
    assert needed(["tokenize", "infer", "classify"]) == (*BASE, "tokenizers")
    assert needed(["load_audio", "infer", "ctc_decode"]) == (*BASE, "soundfile", "cffi", "typing-extensions", "soxr")


def test_steps_of_the_measure_and_steps_inside_of_steps_count() -> None:
    frames = StepSpec("for_frames", {"steps": [{"step": "resize_image", "options": {}}, {"step": "crop_image"}]})
    measured = ComparisonSpec((StepSpec("generate"), StepSpec("infer")), "text")
    pipeline = PipelineSpec("frames", "text", (frames, StepSpec("infer")), measured)
    assert pipeline.step_names() == ("for_frames", "resize_image", "crop_image", "infer", "generate")
    assert needed(pipeline.step_names()) == (*BASE, "pillow", "tokenizers")


@pytest.mark.parametrize(
    ("there", "lacking"),
    [
        ({}, ("numpy", "onnxruntime")),
        ({"numpy": "1.26.4", "onnxruntime": "1.32.1"}, ()),
        ({"numpy": "1.24.2", "onnxruntime": "1.32.0"}, ("numpy",)),
        ({"numpy": "2.4.0", "onnxruntime": "1.33.0"}, ("onnxruntime",)),
        ({"numpy": "2.4.0rc1", "onnxruntime": "1.3"}, ("onnxruntime",)),
        ({"numpy": "2.4.0+local", "onnxruntime": "1.33.0rc1"}, ("onnxruntime",)),
        ({"numpy": "", "onnxruntime": "9" * 5000}, ("numpy", "onnxruntime")),
        ({"numpy": "1.x; none", "onnxruntime": "1.32.1"}, ("numpy",)),
    ],
)
def test_versions_that_do_not_fit_are_copied(there: dict[str, str], lacking: tuple[str, ...]) -> None:
    assert unfit(there, BASE) == lacking


def test_all_that_a_requirement_may_say_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["numpy~=2.1,!=2.1.3", "onnxruntime>=1.32; extra == 'other'", "tokenizers"]
    monkeypatch.setattr(metadata, "requires", lambda name: lines)
    assert unfit({"numpy": "2.4.0"}, ["numpy"]) == ()
    assert unfit({"numpy": "2.1.3"}, ["numpy"]) == ("numpy",)
    assert unfit({"numpy": "3.0"}, ["numpy"]) == ("numpy",)
    assert unfit({"onnxruntime": "1.2", "tokenizers": "any"}, ["onnxruntime", "tokenizers"]) == ()
