"""The plan of an engine on this machine: where it lies, and whether it is one for the GPU that is here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_runtime.errors import EngineUnavailableError, PackageError
from edgewright_runtime.trt import (
    CAPABILITIES_KEY,
    FLAVOURS,
    PROFILE_KEY,
    VERSION_KEY,
    Flavour,
    Shapes,
    load_module,
    make_log,
)
from edgewright_targets.gpu import CudaError, Gpu, gpu

if TYPE_CHECKING:
    from edgewright_runtime.manifest import EngineSpec
    from edgewright_runtime.package import Package
    from edgewright_runtime.trt.session import PlanSession

# A plan has a few inputs of a few axes.
_LARGEST_SIZE = 2**31 - 1


def open_plan(package: Package, spec: EngineSpec, component: str) -> PlanSession:
    """A component of the engine `spec`, ready to run on the GPU of this machine.

    Raises:
        EngineUnavailableError: There is no plan for it here, or it is not for this GPU; the reason says why.
    """
    from edgewright_runtime.trt.session import PlanError, PlanSession

    flavour = FLAVOURS[spec.engine]
    try:
        here = gpu()
        plan = _plan_file(package, spec, component, here)
        reason = invalid(flavour, spec, plan, here)
        if reason is None:
            return PlanSession(flavour, plan)
    except (PlanError, CudaError, ImportError, OSError) as error:
        reason = str(error)
    raise EngineUnavailableError(f"Engine '{spec.name}' cannot run here. {reason}", reason=reason)


def _plan_file(package: Package, spec: EngineSpec, component: str, here: Gpu) -> Path:
    if not spec.kind.made_by_finish:
        return package.file(spec.parts[component].model_file)
    return finished_plan(package, spec, component, here)


def finished_plan(package: Package, spec: EngineSpec, component: str, here: Gpu) -> Path:
    """The plan that `edgewright finish` made of a component of this engine on this machine.

    Raises:
        EngineUnavailableError: It did not yet, or for another GPU, driver or TensorRT.
    """
    from edgewright_runtime.finished import stored_plan
    from edgewright_runtime.plan_key import plan_key

    plan = stored_plan(plan_key(package, spec, component, here))
    if plan is None:
        reason = "It is built on the device, for its GPU, driver and TensorRT version. Run 'edgewright finish' there."
        raise EngineUnavailableError(f"Engine '{spec.name}' cannot run here. {reason}", reason=reason)
    return plan


def invalid(flavour: Flavour, spec: EngineSpec, plan: Path, here: Gpu) -> str | None:
    """Why this plan is not one for this machine, as a sentence; None where nothing says so."""
    capabilities = spec.option(CAPABILITIES_KEY).split()
    if capabilities and here.capability not in capabilities:
        return (
            f"It was built for GPUs of compute capability {', '.join(capabilities)}; the {here.name} of this machine "
            f"has {here.capability}."
        )
    module = load_module(flavour)
    version = spec.option(VERSION_KEY)
    if version and version != module.__version__:
        return f"It was built by {flavour.title} {version}, but {module.__version__} is installed."
    return _refusal(module, flavour, plan)


def _refusal(module: Any, flavour: Flavour, plan: Path) -> str | None:
    """What TensorRT itself says against a plan, where it can be asked."""
    runtime = module.Runtime(make_log(module))
    if not hasattr(runtime, "get_engine_validity"):
        return None
    with plan.open("rb") as file:
        validity, diagnostics = runtime.get_engine_validity(file.read(runtime.engine_header_size))
    if validity != module.EngineValidity.INVALID:
        return None
    causes = [
        name.lower().replace("_", " ")
        for name, cause in module.EngineInvalidityDiagnostics.__members__.items()
        if int(diagnostics) & int(cause)
    ]
    return f"{flavour.title} cannot load it here: {', '.join(causes) or 'without a reason'}."


def profile(spec: EngineSpec, component: str) -> dict[str, Shapes]:
    """Least, usual and largest shape of each input that a component of the engine is built for.

    Raises:
        PackageError: The package's value is not valid.
    """
    try:
        data = json.loads(spec.parts[component].provider_options[PROFILE_KEY])
        found: dict[str, Shapes] = {str(name): _shapes(shapes) for name, shapes in data.items()}
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise PackageError(f"Engine '{spec.name}': its shapes cannot be read ({type(error).__name__}).") from error
    return found


def _shapes(data: Any) -> Shapes:
    least, usual, most = (tuple(int(size) for size in shape) for shape in data)
    if not len(least) == len(usual) == len(most):
        raise ValueError("shapes of different rank")
    if not all(0 <= a <= b <= c <= _LARGEST_SIZE for a, b, c in zip(least, usual, most, strict=True)):
        raise ValueError("shapes that do not grow")
    return least, usual, most


def profile_option(shapes: dict[str, Shapes]) -> str:
    """The option that `profile` reads."""
    return json.dumps(shapes, separators=(",", ":"), sort_keys=True)
