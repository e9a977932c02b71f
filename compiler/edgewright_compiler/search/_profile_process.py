"""One profile of a graph in two precisions, as `python -m edgewright_compiler.search._profile_process`.

It runs in a folder with the request, the graphs and the feeds. A process of its own, because a session of a profiler
writes files, and because what else the build holds in memory would be in the way of what is timed.
"""

from __future__ import annotations

import bisect
import json
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.building.stored_arrays import read_arrays
from edgewright_targets.record import read_record, write_record

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

REQUEST = "request.json"
RESPONSE = "response.json"
FEEDS = "feeds.npz"
# Folders of the graphs; each gets what the provider made of its graph, where that can be written.
GRAPHS = ("float", "low")
OPTIMIZED = "optimized.onnx"
# Rounds at least, and at most: a profile of ONNX Runtime holds a million events.
_FEWEST, _MOST = 8, 40
_FATAL = 4


@dataclass(frozen=True, kw_only=True)
class ProfileRequest:
    """What the process is asked for.

    Attributes:
        provider: Execution provider.
        provider_options: Its options.
        session_options: ONNX Runtime's, as strings.
        threads: Threads of a call.
        seconds: How long it may take beyond the fewest rounds.
    """

    provider: str
    provider_options: dict[str, str]
    session_options: dict[str, str]
    threads: int
    seconds: float


@dataclass(frozen=True)
class NodeTime:
    """What one node of the graph that really ran took.

    Attributes:
        name: As the profiler calls it.
        operator: Its type.
        seconds: Of one call: the mean over the feeds of the fastest of all rounds. Other work on the machine only ever
            makes a node slower.
        values: How many values it gives; 0 where the profiler does not tell.
    """

    name: str
    operator: str
    seconds: float
    values: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ProfileResponse:
    """What the process found.

    Attributes:
        nodes: Folder of a graph to its nodes.
        error: Why there is nothing; None where there is.
    """

    nodes: dict[str, tuple[NodeTime, ...]] = field(default_factory=dict)
    error: str | None = None


# Name and operator of a node to the seconds and values of a call.
_Call = dict[tuple[str, str], tuple[float, int]]


class _OnnxRuntime:
    """A session that is profiled."""

    def __init__(self, folder: Path, request: ProfileRequest) -> None:
        import onnxruntime

        from edgewright_runtime.options import AS_WRITTEN, OPTIMIZATION_KEY, THREADS_KEY
        from edgewright_runtime.providers import provider

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _FATAL
        options.enable_profiling = True
        options.profile_file_prefix = str(folder / "profile")
        for key, value in request.session_options.items():
            if key == OPTIMIZATION_KEY and value == AS_WRITTEN:
                options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            elif key not in (OPTIMIZATION_KEY, THREADS_KEY):
                options.add_session_config_entry(key, value)
        options.intra_op_num_threads = request.threads
        if request.provider == "CPUExecutionProvider":
            # Others compile nodes to one, which no file holds.
            options.optimized_model_filepath = str(folder / OPTIMIZED)
            options.add_session_config_entry(
                "session.optimized_model_external_initializers_file_name", f"{OPTIMIZED}.weights"
            )
        provider(request.provider).configure(options, request.provider_options)
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)

    def run(self, feed: Arrays) -> None:
        self._session.run(None, feed)

    def calls(self) -> list[_Call]:
        """Each call so far."""
        events = json.loads(Path(self._session.end_profiling()).read_text(encoding="utf-8"))
        calls = sorted((event["ts"], event["dur"]) for event in events if event["name"] == "model_run")
        starts = [start for start, _ in calls]
        found: list[_Call] = [{} for _ in calls]
        for event in events:
            name = event["name"].removesuffix("_kernel_time")
            if event.get("cat") != "Node" or name == event["name"]:
                continue
            place = bisect.bisect_right(starts, event["ts"]) - 1
            if place >= 0:
                key = name, str(event["args"].get("op_name", ""))
                shapes = event["args"].get("output_type_shape") or ()
                values = sum(math.prod(shape) for one in shapes for shape in one.values())
                _count(found[place], key, event["dur"] / 1e6, values)
        return found


class _OpenVino:
    """A compiled model of OpenVINO's own runtime with its counters on."""

    def __init__(self, folder: Path, request: ProfileRequest) -> None:
        import openvino  # type: ignore[import-untyped]

        config = {**request.provider_options, "PERF_COUNT": "YES", "INFERENCE_NUM_THREADS": str(request.threads)}
        core = openvino.Core()
        self._request = core.compile_model(folder / "model.onnx", "CPU", config).create_infer_request()
        self._calls: list[_Call] = []

    def run(self, feed: Arrays) -> None:
        self._request.infer(feed)
        found: _Call = {}
        for node in self._request.profiling_info:
            if node.status == node.Status.EXECUTED:
                _count(found, (str(node.node_name), str(node.node_type)), node.real_time.total_seconds(), 0)
        self._calls.append(found)

    def calls(self) -> list[_Call]:
        return self._calls


def _count(call: _Call, key: tuple[str, str], seconds: float, values: int) -> None:
    """Add a run of a node to a call: a node in a loop runs several times."""
    before = call.get(key, (0.0, 0))
    call[key] = before[0] + seconds, before[1] + values


# Providers that have a profiler of their own; the others have ONNX Runtime's.
_PROFILED: dict[str, Callable[[Path, ProfileRequest], Any]] = {"OpenVINO": _OpenVino}


def _profile(request: ProfileRequest, place: Path) -> ProfileResponse:
    feeds = read_arrays(place / FEEDS)["feeds"]
    kind = _PROFILED.get(request.provider, _OnnxRuntime)
    sessions = {name: kind(place / name, request) for name in GRAPHS}
    ends, rounds = time.monotonic() + request.seconds, 0
    # In turns: what else the machine does meets both.
    while rounds < _FEWEST or (rounds < _MOST and time.monotonic() < ends):
        for session in sessions.values():
            for feed in (feeds[-1], *feeds):
                session.run(feed)
        rounds += 1
    return ProfileResponse(nodes={name: _times(session.calls(), len(feeds)) for name, session in sessions.items()})


def _times(calls: Sequence[_Call], feeds: int) -> tuple[NodeTime, ...]:
    """The time of each node, from calls whose feeds take turns.

    The first call of a turn is not counted: the first node waits for threads that slept while the other graph ran.
    """
    counted = [call for index, call in enumerate(calls) if index % (feeds + 1)]
    found = []
    for key in dict.fromkeys(key for call in counted for key in call):
        of_feeds, values = [], []
        for index in range(feeds):
            runs = [call.get(key, (0.0, 0)) for call in counted[index::feeds]]
            of_feeds.append(min(run[0] for run in runs))
            values.append(runs[0][1])
        found.append(NodeTime(*key, statistics.fmean(of_feeds), statistics.fmean(values)))
    return tuple(found)


def main() -> None:
    """Do what the request says, and write the response beside it."""
    place = Path()
    request = read_record(ProfileRequest, json.loads((place / REQUEST).read_text(encoding="utf-8")), REQUEST)
    try:
        response = _profile(request, place)
    except Exception as error:  # noqa: BLE001 - whatever a provider throws, it gave no profile
        from edgewright_runtime.provider_words import provider_words

        response = ProfileResponse(error=provider_words(error))
    (place / RESPONSE).write_text(json.dumps(write_record(response)), encoding="utf-8")


if __name__ == "__main__":
    main()
