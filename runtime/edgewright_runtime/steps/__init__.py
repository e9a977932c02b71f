"""Declared steps: what happens to a sample around the graphs. Adding one is adding a class and a line here."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

from edgewright_runtime.errors import PackageError
from edgewright_targets.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.manifest import StepSpec
    from edgewright_runtime.package import Package

# Step name in a package -> `module:class`; imported when a package asks for it, so that text needs no image library.
STEPS = {
    "tokenize": "edgewright_runtime.steps.text:Tokenize",
    "infer": "edgewright_runtime.steps.infer:Infer",
    "classify": "edgewright_runtime.steps.labels:Classify",
}


class Step(Protocol):
    """Reads named values of a sample, returns the values it adds or replaces."""

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Run the step on one sample."""


def make_step(spec: StepSpec, package: Package, engine: Engine) -> Step:
    """The step that `spec` declares.

    Raises:
        PackageError: Unknown step, or options it does not take.
    """
    if spec.step not in STEPS:
        raise PackageError(
            f"'{package.root}': unknown step '{spec.step}' in the pipeline.", hint=nearest(spec.step, STEPS)
        )
    module, name = STEPS[spec.step].split(":")
    factory = cast("Callable[..., Step]", getattr(importlib.import_module(module), name))
    try:
        return factory(package, engine, **spec.options)
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        raise PackageError(f"'{package.root}': the step '{spec.step}' has wrong options: {error}.") from error
