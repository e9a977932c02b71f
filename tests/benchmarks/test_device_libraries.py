"""Libraries of a device: what steps need is known, and versions there are held against what this version asks for."""

from importlib import metadata

import pytest

from edgewright_benchmarks.devices.wheels import BASE, LIBRARIES, LIBRARIES_OF_STEPS, needed, unfit
from edgewright_runtime.providers import PLUGINS
from edgewright_runtime.steps import STEPS
from test_layers import DEVICE


def test_all_that_the_runtime_imports_can_be_copied() -> None:
    """A step that needs a library is in `LIBRARIES_OF_STEPS`: without it a device would lack it."""
    distributions = metadata.packages_distributions()
    imported = {name.lower() for module in DEVICE["runtime"] for name in distributions.get(module, [module])}
    assert imported - set(PLUGINS) <= set(LIBRARIES)
    # What is there beside: parts of soundfile.
    assert set(LIBRARIES) - imported == {"cffi", "typing-extensions"}
    assert set(LIBRARIES_OF_STEPS) <= set(STEPS)


def test_a_pipeline_needs_what_its_steps_need() -> None:
    assert needed(["infer"]) == BASE
    assert needed(["tokenize", "infer", "classify"]) == (*BASE, "tokenizers")
    assert needed(["load_audio", "infer", "ctc_decode"]) == (*BASE, "soundfile", "cffi", "typing-extensions", "soxr")


@pytest.mark.parametrize(
    ("there", "lacking"),
    [
        ({}, ("numpy", "onnxruntime")),
        ({"numpy": "1.26.4", "onnxruntime": "1.32.1"}, ()),
        ({"numpy": "1.24.2", "onnxruntime": "1.32.0"}, ("numpy",)),
        ({"numpy": "2.4.0", "onnxruntime": "1.33.0"}, ("onnxruntime",)),
        ({"numpy": "2.4.0rc1", "onnxruntime": "1.3"}, ("onnxruntime",)),
    ],
)
def test_versions_that_do_not_fit_are_copied(there: dict[str, str], lacking: tuple[str, ...]) -> None:
    assert unfit(there, BASE) == lacking
