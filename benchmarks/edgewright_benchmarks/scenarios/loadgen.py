"""One run of MLCommons LoadGen against functions that answer samples, and what its log says of it.

LoadGen calls from threads of its own and keeps the time itself. Its library is imported here alone.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from edgewright_benchmarks.scenarios.messages import GenerateLoad

# Samples of a query of the scenario multi-stream, and the percentiles that count, as the rules of MLPerf say.
SAMPLES_PER_QUERY: Final = 8
_SERVER_PERCENTILE: Final = 0.99
# LoadGen makes its queries before it starts, as many as the expected latency asks for: calls may turn out faster.
_FASTER: Final = 0.4
_MARK: Final = ":::MLLOG "

# Answers the samples of these numbers in one call.
Answer = Callable[[Sequence[int]], None]


def loadgen_version() -> str:
    """Version of the distribution that is installed."""
    return version("mlcommons-loadgen")


def generate_load(request: GenerateLoad, streams: Sequence[Answer], samples: int) -> dict[str, object]:
    """Run LoadGen once; gives the keys and values of its detailed log.

    Args:
        request: What is run; its folder exists.
        streams: Each answers one call at a time, beside the others.
        samples: How many there are; LoadGen draws their numbers.
    """
    import mlperf_loadgen as lg

    def answer(stream: Answer, part: Sequence[Any]) -> None:
        stream([one.index for one in part])
        lg.QuerySamplesComplete([lg.QuerySampleResponse(one.id, 0, 0) for one in part])

    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def issue_here(query: list[Any]) -> None:
        for start in range(0, len(query), request.batch):
            answer(streams[0], query[start : start + request.batch])

    # One stream whose queries follow one another needs no second thread: waking it would be part of the latency.
    inline = len(streams) == 1 and request.scenario in ("single-stream", "multi-stream")
    threads = [] if inline else [_thread(partial(answer, stream), waiting, request.batch) for stream in streams]
    for thread in threads:
        thread.start()
    system = lg.ConstructSUT(issue_here if inline else partial(_queue, waiting), lambda: None)
    library = lg.ConstructQSL(samples, samples, lambda _: None, lambda _: None)
    try:
        # A file of this name in the working folder would change the run.
        audit = str(Path(request.folder) / "audit.config")
        lg.StartTestWithLogSettings(system, library, _settings(lg, request), _logs(lg, request.folder), audit)
    finally:
        for _ in threads:
            waiting.put(None)
        for thread in threads:
            thread.join()
        lg.DestroyQSL(library)
        lg.DestroySUT(system)
    return read_log(Path(request.folder) / "mlperf_log_detail.txt")


def _thread(answer: Callable[[Sequence[Any]], None], waiting: queue.SimpleQueue[Any], batch: int) -> threading.Thread:
    """A thread that answers what waits until the end comes."""

    def work() -> None:
        while (part := _next(waiting, batch)) is not None:
            answer(part)

    return threading.Thread(target=work, daemon=True)


def _queue(waiting: queue.SimpleQueue[Any], query: list[Any]) -> None:
    for one in query:
        waiting.put(one)


def _next(waiting: queue.SimpleQueue[Any], batch: int) -> list[Any] | None:
    """The samples of the next call: the first that comes, and what waits behind it; None at the end."""
    first = waiting.get()
    if first is None:
        return None
    part = [first]
    while len(part) < batch:
        try:
            one = waiting.get_nowait()
        except queue.Empty:
            break
        if one is None:
            waiting.put(None)
            break
        part.append(one)
    return part


def _settings(lg: Any, request: GenerateLoad) -> Any:
    made = lg.TestSettings()
    names = {
        "single-stream": "SingleStream",
        "multi-stream": "MultiStream",
        "offline": "Offline",
        "server": "Server",
    }
    made.scenario = getattr(lg.TestScenario, names[request.scenario])
    made.mode = lg.TestMode.PerformanceOnly
    made.min_duration_ms = int(1000 * request.seconds)
    made.min_query_count = request.queries
    made.qsl_rng_seed = made.sample_index_rng_seed = made.schedule_rng_seed = request.seed + 1
    expected = max(1, int(1e9 * request.call * _FASTER))
    made.single_stream_expected_latency_ns = expected
    made.multi_stream_expected_latency_ns = expected * SAMPLES_PER_QUERY
    made.multi_stream_samples_per_query = SAMPLES_PER_QUERY
    made.offline_expected_qps = 1 / request.call
    if request.rate is not None and request.limit is not None:
        made.server_target_qps = request.rate
        made.server_target_latency_ns = max(1, int(1e9 * request.limit))
        made.server_target_latency_percentile = _SERVER_PERCENTILE
    return made


def _logs(lg: Any, folder: str) -> Any:
    made = lg.LogSettings()
    made.log_output.outdir = folder
    made.log_output.copy_summary_to_stdout = False
    made.enable_trace = False
    return made


def read_log(path: Path) -> dict[str, object]:
    """Key to value of LoadGen's detailed log; of a key that comes several times the last."""
    found: dict[str, object] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(_MARK):
            try:
                entry = json.loads(line.removeprefix(_MARK))
                found[entry["key"]] = entry["value"]
            except (ValueError, KeyError, TypeError):
                # LoadGen does not escape all that it quotes; its figures are plain numbers.
                continue
    return found
