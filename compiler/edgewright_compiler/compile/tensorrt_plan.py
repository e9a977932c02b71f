"""TensorRT plans from strongly typed ONNX graphs, by either flavour. A device builds too: no compiler library here."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from edgewright_benchmarks.child_process import ending, last_words
from edgewright_compiler.compile import CompileError
from edgewright_compiler.compile._tensorrt_process import LAYERS, LOG, REQUEST, RESPONSE, TIMING
from edgewright_compiler.compile.plan_messages import PlanFacts, PlanRequest, PlanResponse
from edgewright_compiler.disk import disk_reason
from edgewright_runtime.trt import PLAN_FILE, Flavour, Shapes, missing
from edgewright_targets import InputError
from edgewright_targets.record import read_record, write_record

if TYPE_CHECKING:
    from edgewright_benchmarks.progress import Progress

_COMMAND = (sys.executable, "-P", "-m", "edgewright_compiler.compile._tensorrt_process")
_GRAPH = "model.onnx"


def build_plan(
    files: Sequence[Path],
    flavour: Flavour,
    profile: Mapping[str, Shapes],
    destination: Path,
    *,
    capabilities: Sequence[str] = (),
    timing_cache: Path | None = None,
    progress: Progress | None = None,
) -> PlanFacts:
    """Build the plan of a graph, in a process of its own.

    Args:
        files: The graph and the files with its weights; the graph is the one that ends in `.onnx`.
        flavour: Which TensorRT.
        profile: Input name to its least, usual and largest shape, for every input with free dimensions.
        destination: A folder; gets `engine.plan`, `layers.txt` and `build.log`.
        capabilities: Compute capabilities to build for, such as `8.9`; empty builds for the GPU that is here.
        timing_cache: File that keeps what TensorRT learned about kernels; read if there, replaced afterwards.
        progress: Told how far it is.

    Raises:
        CompileError: TensorRT is not there, refused the graph, or died.
        InputError: The system ended it for want of memory or disk.
    """
    reason = missing(flavour)
    if reason is not None:
        raise CompileError(reason)
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination) as place:
        folder = Path(place)
        for path in files:
            # A link where the disk can: weights may be large, and nothing here writes into them.
            _link_or_copy(path, folder / (_GRAPH if path.suffix == ".onnx" else path.name))
        if timing_cache is not None and timing_cache.is_file():
            shutil.copyfile(timing_cache, folder / TIMING)
        request = PlanRequest(
            flavour=flavour.name, graph=_GRAPH, capabilities=tuple(capabilities), profile=dict(profile)
        )
        (folder / REQUEST).write_text(json.dumps(write_record(request)), encoding="utf-8")
        code, stderr_text = _run(folder, flavour.title, progress)
        _refuse_outside_causes(code, stderr_text, flavour)
        if not (folder / RESPONSE).exists():
            ended = f"The process of {flavour.title} ended {ending(code)}."
            raise CompileError(f"{ended}{last_words(stderr_text.splitlines())}")
        response = read_record(PlanResponse, json.loads((folder / RESPONSE).read_text(encoding="utf-8")), RESPONSE)
        if response.facts is None:
            raise CompileError(f"{flavour.title} refused the graph: {response.error}")
        for name in (PLAN_FILE, LAYERS, LOG):
            (folder / name).replace(destination / name)
        if timing_cache is not None and (folder / TIMING).exists():
            timing_cache.parent.mkdir(parents=True, exist_ok=True)
            # First to the same disk, then under its name: another build may be reading it.
            beside = timing_cache.with_name(f"{timing_cache.name}.{os.getpid()}.tmp")
            shutil.copyfile(folder / TIMING, beside)
            beside.replace(timing_cache)
    return response.facts


def _link_or_copy(source: Path, destination: Path) -> None:
    try:
        os.link(source, destination)
    except OSError:
        shutil.copyfile(source, destination)


def _run(folder: Path, title: str, progress: Progress | None) -> tuple[int, str]:
    # It runs in another folder, where relative entries of the path would mean something else.
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry)
    with (folder / "errors.txt").open("w+b") as errors:
        with subprocess.Popen(
            _COMMAND,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
        ) as process:
            try:
                assert process.stdout is not None
                _follow(process.stdout, title, progress)
            except BaseException:
                process.kill()
                raise
            code = process.wait()
        errors.seek(0)
        stderr_text = errors.read().decode(errors="replace").strip()
    return code, stderr_text


def _refuse_outside_causes(code: int, stderr_text: str, flavour: Flavour) -> None:
    """Raise where the system ended the build: that says nothing about the graph, and must not be kept as a finding."""
    if code == -signal.SIGKILL:
        raise InputError(
            f"The process of {flavour.title} was killed, probably because memory ran out.",
            hint="Build again with more memory free.",
        )
    reason = disk_reason(RuntimeError(stderr_text)) if code else None
    if reason is not None:
        raise InputError(
            f"{flavour.title} could not write its plan: {reason}.",
            hint="Free some space, for example with 'edgewright cache clear', or set XDG_CACHE_HOME to another disk.",
        )


def _follow(lines: IO[str], title: str, progress: Progress | None) -> None:
    """Fill a bar for each phase that the build tells of."""
    phase, bar = "", None
    for line in lines:
        name, _, rest = line.rstrip("\n").partition("\t")
        _, _, total = rest.partition("\t")
        if progress is None or not total.isdigit():
            continue
        if name != phase:
            if bar is not None:
                bar.close()
            phase, bar = name, progress.bar(f"{title}: {name}", int(total))
        if bar is not None:
            bar.update()
    if bar is not None:
        bar.close()
