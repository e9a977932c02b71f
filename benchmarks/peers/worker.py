"""One engine of a peer in a process of its own, told what to do by lines of JSON. Runs in the peer's own environment.

    python worker.py ENGINE.json FEEDS_FOLDER

`ENGINE.json` says what to open: `kind`, `path`, `threads`, and what the kind needs. Answers to lines on standard input:
`{"answer": FILE}` writes the outputs of all feeds, `{"time": [INDEX, ...]}` gives seconds of a call on each of these,
`{"memory": true}` peak resident memory in bytes. Feeds lie in `FEEDS_FOLDER` as `0.npz`, `1.npz`, ...

Needs numpy and the library of the engine alone, and nothing of Edgewright (but for engines of a package).
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Call = Callable[[Arrays], Any]


def open_torch(engine: dict[str, Any]) -> tuple[Call, Callable[[Any], list[Any]]]:
    """A checkpoint of transformers, or a function that gives a module; compiled where asked."""
    import torch

    torch.set_num_threads(engine["threads"])
    net, named = torch_module(engine["source"], engine.get("model_class", ""))
    if engine.get("compiled"):
        net = torch.compile(net)

    def call(feeds: Arrays) -> Any:
        tensors = {name: torch.from_numpy(value) for name, value in feeds.items()}
        with torch.inference_mode():
            return net(**tensors) if named else net(*tensors.values())

    def outputs(found: Any) -> list[Any]:
        if isinstance(found, torch.Tensor):
            return [found.numpy()]
        values = found.values() if hasattr(found, "values") else found
        return [value.numpy() for value in values if isinstance(value, torch.Tensor)]

    return call, outputs


def torch_module(source: str, model_class: str) -> tuple[Any, bool]:
    """The module of a source, and whether its inputs are passed by name."""
    if Path(source).is_dir():
        transformers: Any = importlib.import_module("transformers")
        return getattr(transformers, model_class).from_pretrained(source).eval(), True
    module, function = source.split(":")
    return getattr(importlib.import_module(module), function)()[0].eval(), False


def open_onnxruntime(engine: dict[str, Any]) -> tuple[Call, Callable[[Any], list[Any]]]:
    """A graph on ONNX Runtime's CPU provider, with its default settings but the number of threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = engine["threads"]
    session = onnxruntime.InferenceSession(engine["path"], options, providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    return lambda feeds: session.run(None, renamed(feeds, names)), list


def open_openvino(engine: dict[str, Any]) -> tuple[Call, Callable[[Any], list[Any]]]:
    """A model on OpenVINO's own runtime, for latency."""
    openvino: Any = importlib.import_module("openvino")
    core = openvino.Core()
    config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": engine["threads"]}
    model = core.read_model(engine["path"])
    request = core.compile_model(model, "CPU", config).create_infer_request()
    names = [port.get_any_name() for port in model.inputs]
    return (
        lambda feeds: request.infer(renamed(feeds, names), share_inputs=True),
        lambda found: [np.array(value) for value in found.values()],
    )


def open_edgewright(engine: dict[str, Any]) -> tuple[Call, Callable[[Any], list[Any]]]:
    """The graph of an engine in a package, by Edgewright's runtime."""
    from edgewright_runtime.engine import Engine
    from edgewright_runtime.manifest import COMPONENT
    from edgewright_runtime.package import Package

    package = Package.open(engine["path"])
    opened = Engine(package, package.manifest.engines[engine["engine"]])
    opened.activate()
    graph = opened.graph(COMPONENT)
    return graph.infer, lambda found: list(found.values())


OPENERS = {
    "torch": open_torch,
    "onnxruntime": open_onnxruntime,
    "openvino": open_openvino,
    "edgewright": open_edgewright,
}


def renamed(feeds: Arrays, names: list[str]) -> Arrays:
    """Feeds under the names of a graph that another exporter made: the same names, or one input for one."""
    if len(feeds) == len(names) == 1:
        return dict(zip(names, feeds.values(), strict=True))
    return {name: feeds[name] for name in names}


def peak_memory_bytes() -> int:
    """Peak resident memory of this process."""
    found = re.search(r"^VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def serve(engine: dict[str, Any], folder: Path, channel: Any) -> None:
    """Open the engine, call it once, and answer lines until they end."""
    start = time.perf_counter()
    call, outputs = OPENERS[engine["kind"]](engine)

    def feeds(index: int) -> Arrays:
        with np.load(folder / f"{index}.npz", allow_pickle=False) as file:
            return dict(file)

    call(feeds(0))
    say(channel, {"seconds": time.perf_counter() - start})
    for line in sys.stdin:
        asked = json.loads(line)
        if "answer" in asked:
            count = len(list(folder.glob("*.npz")))
            made: Arrays = {}
            for index in range(count):
                values = outputs(call(feeds(index)))
                made |= {f"{index}/{place}": np.array(value) for place, value in enumerate(values)}
            np.savez(asked["answer"], **made)
            say(channel, {"samples": count})
        elif "time" in asked:
            kept = [feeds(index) for index in asked["time"]]
            call(kept[0])
            seconds = []
            for one in kept:
                before = time.perf_counter()
                call(one)
                seconds.append(time.perf_counter() - before)
            say(channel, {"seconds": seconds})
        else:
            say(channel, {"bytes": peak_memory_bytes()})


def say(channel: Any, answer: dict[str, Any]) -> None:
    """One line."""
    print(json.dumps(answer), file=channel, flush=True)


def main() -> None:
    """Serve; what goes wrong is the last line of standard error."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not reach the protocol
    serve(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]), channel)


if __name__ == "__main__":
    main()
