"""A worker that also holds LoadGen: `python -m edgewright_benchmarks.scenarios.process`.

Engine and LoadGen share a process, as the rules of MLPerf have it and as a service does: no pipe lies between them, so
none is in the latency. Each stream is a thread with an engine of its own. What steps do in Python takes turns.

Operations beside those of `edgewright_runtime.worker`:

- `streams`: load an engine so many times; answers how long a call takes.
- `load-run`: one run of LoadGen on the samples that it keeps.
"""

from __future__ import annotations

import signal
import statistics
import sys
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from edgewright_benchmarks.scenario_result import LoadRun
from edgewright_benchmarks.scenarios.loadgen import SAMPLES_PER_QUERY, generate_load, loadgen_version
from edgewright_benchmarks.scenarios.messages import GenerateLoad, LoadGenerated, OpenStreams, StreamsOpen
from edgewright_runtime.worker import Worker, main
from edgewright_targets import InputError
from edgewright_targets.record import read_record

if TYPE_CHECKING:
    from edgewright_runtime import Model
    from edgewright_runtime.wire import Arrays
    from edgewright_runtime.worker import Operations

# Samples that are answered before LoadGen starts: they warm the engine, and say how long a call takes.
_WARM: Final = 32
# A thread that waits for its turn in Python gets it after so many seconds; by default five milliseconds, which would be
# the latency of a small engine beside which LoadGen's own thread wants to run.
_TURN_SECONDS: Final = 0.0002
_WORDS_LIMIT: Final = 300


class Stream:
    """One engine that answers calls, and what came of them.

    Args:
        model: The loaded package.
        samples: All samples, by number.
        failures: Number of a sample that failed to why; of all streams.
    """

    def __init__(self, model: Model, samples: Sequence[Any], failures: dict[int, str]) -> None:
        self.seconds: list[float] = []
        self.failed = 0
        self._model, self._samples, self._failures = model, samples, failures
        measured = model.manifest.pipeline.measured
        # As engines are timed: with the same work for each.
        self._options = dict(measured.call) if measured else {}

    def __call__(self, indices: Sequence[int]) -> None:
        """Answer the samples of these numbers in one call."""
        start = time.perf_counter()
        if len(indices) == 1 or self._model.pipeline.one_by_one or not self._answered(indices):
            # A call that failed tells not which of its samples it was.
            for index in indices:
                self._answered([index])
        self.seconds.append(time.perf_counter() - start)

    def _answered(self, indices: Sequence[int]) -> bool:
        try:
            if len(indices) == 1:
                self._model(self._samples[indices[0]], **self._options)
            else:
                part = [self._samples[index] for index in indices]
                self._model(part, batch_size=len(part), **self._options)
        except Exception as error:  # noqa: BLE001 - LoadGen has to hear of every sample, whatever became of it
            self.failed += 1
            if len(indices) == 1:
                self._failures.setdefault(indices[0], f"{type(error).__name__}: {error}"[:_WORDS_LIMIT])
            return False
        return True


class LoadWorker(Worker):
    """Holds an engine several times, and LoadGen."""

    def __init__(self) -> None:
        super().__init__()
        self._models: list[Model] = []
        self._call = 0.0

    def operations(self, message: dict[str, object], arrays: Arrays) -> Operations:
        """Those of a worker, and of the load."""
        return {
            **super().operations(message, arrays),
            "streams": lambda: self._open(read_record(OpenStreams, message, "request")),
            "load-run": lambda: self._generate(read_record(GenerateLoad, message, "request")),
        }

    def _open(self, request: OpenStreams) -> tuple[StreamsOpen, Arrays]:
        from edgewright_runtime.loading import load

        self._models = [
            load(request.package, engine=request.engine, threads=request.threads) for _ in range(request.streams)
        ]
        first = self._models[0]
        if first.engine.emulated:
            raise InputError(f"Engine '{first.engine.name}' runs in an emulator, where its calls cannot be timed.")
        count = len(self._samples)
        chosen = sorted({index * count // _WARM for index in range(_WARM)})
        streams = [Stream(model, self._samples, {}) for model in self._models]
        for index in chosen:
            streams[0]([index])
        for stream in streams[1:]:
            stream([chosen[0]])
        self._call = statistics.median(streams[0].seconds)
        return StreamsOpen(self._call, first.pipeline.one_by_one, loadgen_version()), {}

    def _generate(self, request: GenerateLoad) -> tuple[LoadGenerated, Arrays]:
        failures: dict[int, str] = {}
        streams = [Stream(model, self._samples, failures) for model in self._models]
        log = generate_load(request, streams, len(self._samples))
        run = _run_of(log, request, streams)
        return LoadGenerated(run, tuple(sorted(failures)), failures[min(failures)] if failures else ""), {}


def _run_of(log: Mapping[str, object], request: GenerateLoad, streams: Sequence[Stream]) -> LoadRun:
    part = "_per_query" if request.scenario == "multi-stream" else ""

    def number(key: str) -> float:
        value = log.get(key)
        return float(value) if isinstance(value, int | float) else 0.0

    def percentile(share: int) -> float:
        return number(f"result_{share}.00_percentile{part}_latency_ns") / 1e9

    rates = {
        "single-stream": "result_qps_with_loadgen_overhead",
        "offline": "result_samples_per_second",
        "server": "result_completed_samples_per_sec",
    }
    if request.scenario == "multi-stream":
        mean = number("result_mean_query_latency_ns") / 1e9
        rate = SAMPLES_PER_QUERY / mean if mean else 0.0
    else:
        rate = number(rates[request.scenario])
    return LoadRun(
        log=request.log,
        valid=log.get("result_validity") == "VALID",
        reason=" ".join(str(log.get("result_invalid_reason", "")).split()),
        early_stopping=log.get("early_stopping_met") is True,
        target_rate=request.rate,
        kept=None if request.limit is None else log.get("result_perf_constraints_met") is True,
        queries=int(number("result_query_count")),
        rate=rate,
        p50=percentile(50),
        p90=percentile(90),
        p95=percentile(95),
        p99=percentile(99),
        call=statistics.median([value for stream in streams for value in stream.seconds] or [0.0]),
        failed=sum(stream.failed for stream in streams),
    )


def serve_load() -> None:
    """Serve on standard input and output."""
    # Python hears of Ctrl-C between two lines of its own, and LoadGen runs for minutes without one.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.setswitchinterval(_TURN_SECONDS)
    # What is changed about samples was said by the bench; and filters of warnings are not of one thread alone.
    warnings.simplefilter("ignore")
    main(worker=LoadWorker())


if __name__ == "__main__":
    serve_load()
