"""Kinds of engine: what its files are, what makes them, and what runs them. The one list; adding a kind is a row here.

Apart from targets, because a package names the kind of each engine and a device reads no target.
"""

from __future__ import annotations

from typing import NamedTuple

from edgewright_targets.errors import InputError, nearest

# Executors: what opens the files of an engine on a device, as packages name it.
ONNX_RUNTIME = "ort"
TENSORRT = "tensorrt"
OPENVINO = "openvino"


# Not a dataclass: a device makes these at each start, and a tuple is made in a fifth of the time.
class EngineKind(NamedTuple):
    """One kind of engine.

    Attributes:
        compiler: Module in `edgewright_compiler.compile` that makes it ahead of time. Empty for a plain graph, which
            the provider compiles where it is loaded.
        executor: What opens its files as they are in a package.
        plan: TensorRT runs it, not ONNX Runtime, on GPUs of stated compute capabilities. Its flavour has the same name
            in `edgewright_runtime.trt.FLAVOURS`.
        made_by_finish: `edgewright finish` makes it on the device, from the graph in the package: its build times
            kernels on the GPU that will run it.
        added_in: Number of the package's format that came with it; see `FORMAT` in `edgewright_runtime.manifest`.
    """

    compiler: str = ""
    executor: str = ONNX_RUNTIME
    plan: bool = False
    made_by_finish: bool = False
    added_in: int = 2

    @property
    def ahead_of_time(self) -> bool:
        """Whether a build compiles it for its hardware; a plain graph is compiled where it is loaded."""
        return bool(self.compiler)


PLAIN = "onnx"
# Name, as in `engine = "..."` of a candidate -> the kind.
ENGINE_KINDS = {
    PLAIN: EngineKind(),
    # A provider's compiled program inside an ONNX graph of fixed shapes.
    "epcontext": EngineKind("epcontext"),
    # The plain graph, run by OpenVINO's own runtime instead of ONNX Runtime.
    "openvino": EngineKind(executor=OPENVINO, added_in=3),
    "tensorrt-rtx": EngineKind("tensorrt_rtx", executor=TENSORRT, plan=True),
    "tensorrt": EngineKind("tensorrt_device", plan=True, made_by_finish=True),
}
# What opens the files of engines, as packages name it.
EXECUTORS = tuple(dict.fromkeys(kind.executor for kind in ENGINE_KINDS.values()))


def engine_kind(name: str) -> EngineKind:
    """The kind of engine called `name`.

    Raises:
        InputError: Unknown; the known kinds are listed.
    """
    if name not in ENGINE_KINDS:
        raise InputError(f"Unknown kind of engine '{name[:60]}'.", hint=nearest(name, ENGINE_KINDS))
    return ENGINE_KINDS[name]
