"""What the bars take from a package: real inputs, and the parts that `_by_hand.py` puts together."""

from __future__ import annotations

import warnings
from typing import Any

from edgewright_runtime import EngineFallbackWarning, EngineInfo, Package, load
from edgewright_runtime.package import GOLDEN
from edgewright_runtime.selftest import golden_samples
from edgewright_targets import InputError


def running_engine(package: Package) -> EngineInfo:
    """The engine that runs here, which need not be the one that the package prefers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EngineFallbackWarning)
        with load(package) as model:
            return model.engine


def parts_by_hand(path: str) -> dict[str, Any]:
    """All that `_by_hand.py` needs to run the engine that runs here: files and numbers a person would write down."""
    package = Package.open(path)
    manifest = package.manifest
    steps = {step.step: step.options for step in manifest.pipeline.steps}
    if list(steps) != ["tokenize", "infer", "classify"]:
        raise InputError(f"'{path}' is not a text classifier: its steps are {', '.join(steps)}.")
    running = running_engine(package)
    engine = manifest.engines[running.name]
    part = engine.parts["model"]
    options = {name: package.resolve(value) for name, value in part.session_options.items()}
    return {
        "graph": str(package.file(part.model_file)),
        "session_options": {name: value for name, value in options.items() if name != "intra_op_num_threads"},
        "threads": running.threads,
        "provider": engine.provider,
        "provider_options": part.provider_options,
        "tokenizer": str(package.asset(steps["tokenize"]["tokenizer"])),
        "max_length": steps["tokenize"]["max_length"],
        "pad_id": steps["tokenize"]["pad_id"],
        "padding_side": steps["tokenize"]["padding_side"],
        "pad_to_multiple_of": engine.pad_to_multiple_of,
        "labels": manifest.labels,
        "logits": steps["classify"]["logits"],
    }


def texts(path: str) -> list[str]:
    """The golden samples of the package: real inputs of its model."""
    samples = golden_samples(Package.open(path).file(GOLDEN))
    found = [sample.sample for sample in samples if isinstance(sample.sample, str)]
    if not found:
        raise InputError(f"'{path}' has no golden samples that are texts.")
    return found
