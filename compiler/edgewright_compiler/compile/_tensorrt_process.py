"""The process that builds one plan: TensorRT may crash, and its bytes must not depend on what ran before in a process.

Runs in a folder with `request.json` and the graph, so that no path of the machine gets into a plan or a log. Leaves
`engine.plan`, `layers.txt`, `build.log` and `response.json` there, and prints how far it is.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from edgewright_compiler.compile.plan_messages import PlanFacts, PlanRequest, PlanResponse
from edgewright_runtime.trt import FLAVOURS, PLAN_FILE, Shapes, load_module, make_log
from edgewright_targets.engine_kinds import engine_kind
from edgewright_targets.record import read_record, write_record

REQUEST, RESPONSE, LOG, LAYERS, TIMING = "request.json", "response.json", "build.log", "layers.txt", "timing.cache"
# The builder prints the layers of a finished engine in its verbose log, from this line on. The inspector prints the
# same and needs the engine on a GPU.
_LAYERS_BEGIN = "Layers:"
_LAYER = "Name: "


class _RefusedError(Exception):
    """TensorRT said no; the text says why."""


def main() -> None:
    """Build what `request.json` asks for."""
    # TensorRT's warnings about its own interface are for us, and tests see them as errors elsewhere.
    warnings.simplefilter("ignore")
    request = read_record(PlanRequest, json.loads(Path(REQUEST).read_text(encoding="utf-8")), REQUEST)
    try:
        response = PlanResponse(facts=_build(request))
    except _RefusedError as error:
        response = PlanResponse(error=str(error))
    Path(RESPONSE).write_text(json.dumps(write_record(response)), encoding="utf-8")


def _build(request: PlanRequest) -> PlanFacts:
    flavour = FLAVOURS[request.flavour]
    try:
        module = load_module(flavour)
    except ImportError as error:
        raise _RefusedError(f"{flavour.title} cannot be loaded: {error}") from error
    log = make_log(module)
    try:
        return _made(module, log, request)
    finally:
        kept = [f"{severity}: {text}" for severity, text in log.lines if severity != "VERBOSE"]
        Path(LOG).write_text("\n".join(kept) + "\n", encoding="utf-8")


def _made(module: Any, log: Any, request: PlanRequest) -> PlanFacts:
    builder = module.Builder(log)
    if builder is None:
        raise _RefusedError(f"There is no builder: {log.errors()}")
    network = builder.create_network(_flags(module))
    parser = module.OnnxParser(network, log)
    if not parser.parse_from_file(request.graph):
        raise _RefusedError(" ".join(_parse_error(parser.get_error(i)) for i in range(parser.num_errors)))
    config = builder.create_builder_config()
    # float32 in the graph is float32 in the engine, not TF32 with its 10 bits.
    config.clear_flag(module.BuilderFlag.TF32)
    config.profiling_verbosity = module.ProfilingVerbosity.DETAILED
    config.progress_monitor = _monitor(module)
    _set_capabilities(module, config, request.capabilities)
    _set_profile(builder, network, config, request.profile)
    # A plan is made on the device because its build times kernels; other builds time nothing and have no such cache.
    timing = engine_kind(request.flavour).made_by_finish
    if timing:
        _set_timing_cache(config)
    start = time.perf_counter()
    plan = builder.build_serialized_network(network, config)
    seconds = time.perf_counter() - start
    if plan is None:
        raise _RefusedError(log.errors() or "it made nothing, without a reason")
    Path(PLAN_FILE).write_bytes(memoryview(plan))
    if timing:
        Path(TIMING).write_bytes(memoryview(config.get_timing_cache().serialize()))
    layers = _layers(log.lines) or ([] if request.capabilities else _inspected(module, log, plan))
    Path(LAYERS).write_text("\n".join(layers) + "\n", encoding="utf-8")
    return PlanFacts(
        version=str(module.__version__),
        seconds=seconds,
        nodes=network.num_layers,
        layers=len(layers),
        size_bytes=Path(PLAN_FILE).stat().st_size,
        warnings=tuple(text for severity, text in log.lines if severity == "WARNING"),
    )


def _parse_error(error: Any) -> str:
    where = f"{error.node_operator()} '{error.node_name()}': " if error.node_operator() else ""
    return f"{where}{error.desc().strip()}"


def _flags(module: Any) -> int:
    # Strongly typed: the types in the graph are the types of the engine. Later versions have nothing else, and no flag.
    flag = getattr(module.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _set_capabilities(module: Any, config: Any, capabilities: tuple[str, ...]) -> None:
    if not capabilities:
        return
    config.num_compute_capabilities = len(capabilities)
    for index, capability in enumerate(capabilities):
        value = getattr(module.ComputeCapability, f"SM{capability.replace('.', '')}", None)
        if value is None or not config.set_compute_capability(value, index):
            known = ", ".join(name for name in module.ComputeCapability.__members__ if name.startswith("SM"))
            raise _RefusedError(f"It does not build for compute capability {capability}. Supported: {known}.")


def _set_profile(builder: Any, network: Any, config: Any, shapes: dict[str, Shapes]) -> None:
    profile = builder.create_optimization_profile()
    dynamic = False
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        if all(size >= 0 for size in tensor.shape):
            continue
        if tensor.name not in shapes:
            raise _RefusedError(f"The input '{tensor.name}' has dynamic dimensions, but no shapes were found for it.")
        if getattr(tensor, "is_shape_tensor", False):
            raise _RefusedError(
                f"The values of the input '{tensor.name}' determine shapes, which is not supported here."
            )
        profile.set_shape(tensor.name, *shapes[tensor.name])
        dynamic = True
    if dynamic and config.add_optimization_profile(profile) < 0:
        raise _RefusedError(f"The shapes {write_record(shapes)} are not accepted.")


def _set_timing_cache(config: Any) -> None:
    kept = Path(TIMING).read_bytes() if Path(TIMING).exists() else b""
    for content in (kept, b""):
        cache = config.create_timing_cache(content)
        # Of another GPU or version it is refused, and a new one begun.
        if cache is not None and config.set_timing_cache(cache, False):  # noqa: FBT003 - its own interface
            return


def _inspected(module: Any, log: Any, plan: Any) -> list[str]:
    """The layers as TensorRT's inspector prints them, for a plan of the GPU that is here."""
    runtime = module.Runtime(log)
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        return []
    text = engine.create_engine_inspector().get_engine_information(module.LayerInformationFormat.ONELINE)
    return [line for line in str(text).splitlines() if line.strip()]


def _layers(lines: list[tuple[str, str]]) -> list[str]:
    begin = next((index for index, (_, text) in enumerate(lines) if text.strip().startswith(_LAYERS_BEGIN)), len(lines))
    found = [line for _, text in lines[begin:] for line in text.splitlines()]
    return [line for line in found if line.startswith(_LAYER)]


def _monitor(module: Any) -> Any:
    class Monitor(module.IProgressMonitor):  # type: ignore[misc] # the module has no types
        """Prints `phase<TAB>step<TAB>steps` for the phases that have none above them."""

        def __init__(self) -> None:
            super().__init__()
            self.steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            if parent_phase is None:
                self.steps[phase_name] = num_steps

        def phase_finish(self, phase_name: str) -> None:
            self.steps.pop(phase_name, None)

        def step_complete(self, phase_name: str, step: int) -> bool:
            if phase_name in self.steps:
                print(f"{phase_name}\t{step}\t{self.steps[phase_name]}", flush=True)
            return True

    return Monitor()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
