"""A worker: one engine in a process of its own, told what to do over a pipe. `python -m edgewright_runtime.worker`.

One engine a process, because thread pools and caches of engines in one process disturb one another. Requests are
`{"op": ...}`; every answer is `{"ok": true, ...}` or `{"ok": false, "kind", "error"}`:

- `hello`: protocol, version, facts about the machine.
- `samples`: keep these samples; later requests name them by index.
- `load`: open a package and activate an engine, in its emulator if asked to; answers seconds until the first answer,
  and what runs where.
- `cold_start`: start an engine in a fresh process, which answers the first sample; answers the seconds of its parts.
- `answer`: outputs of the samples named, and beside them the answers that are more than these (`samples.ANSWER`); under
  `said` what was changed about samples before the model had them: `[index, kind, sentence]`.
- `feeds`: what the steps before the graphs make for the samples named.
- `time`: seconds of a call for each of the samples named, and how busy the processor was with them; refused in an
  emulator, where they would mean nothing.
- `time_tokens`: seconds to the first new token after a prompt of so many tokens, and of the tokens after it.
- `energy`: what the sensors of the machine say of calls with the samples named, after doing nothing for a while.
- `memory`: peak resident memory of this process in bytes.
- `verify`: the self-test of a package; the kind `check` means that it ran and said no.
- `finished`: keep what was found about an engine of the processor, where `load` on this machine finds it.
- `stop`: end.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from edgewright_runtime.errors import SampleWarning
from edgewright_runtime.memory import peak_memory_bytes
from edgewright_runtime.requests import ColdStart, Found, Keep, Load, Samples, TimeTokens, Verify
from edgewright_runtime.responses import (
    Answered,
    ColdStarted,
    Done,
    EnergyRead,
    Hello,
    Loaded,
    Memory,
    Timed,
    TokenTimes,
)
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_runtime.wire import PROTOCOL, WireError, receive, send, unpack_samples
from edgewright_targets import CheckFailedError, EdgewrightError, InputError, __version__, host_facts
from edgewright_targets.record import read_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewright_runtime.cold_start import ColdStarter
    from edgewright_runtime.probe import Probe
    from edgewright_runtime.selftest import SelfTestReport
    from edgewright_runtime.wire import Arrays

    Response = (
        Hello | Loaded | ColdStarted | Answered | Timed | TokenTimes | EnergyRead | Memory | Done | SelfTestReport
    )
    # What a request does: its answer, a frozen dataclass, and arrays.
    Operations = dict[str, Callable[[], tuple[Any, Arrays]]]


T = TypeVar("T")


class Worker:
    """Holds at most one model, and the samples it is measured on.

    Args:
        emulator: What emulates this machine, if anything does: the processor and by what.
        log_warnings: ONNX Runtime writes its warnings to standard error, see `load`.
    """

    def __init__(self, emulator: str | None = None, *, log_warnings: bool = False) -> None:
        self._emulator = emulator
        self._log_warnings = log_warnings
        self._samples: list[Any] = []
        self._probe: Probe | None = None
        self._starter: ColdStarter | None = None

    def handle(self, message: dict[str, object], arrays: Arrays) -> tuple[dict[str, object], Arrays]:
        """Do what a request asks; gives the answer and its arrays."""
        operation = str(message.pop("op", ""))
        known = self.operations(message, arrays)
        if operation not in known:
            return {"ok": False, "kind": "protocol", "error": f"unknown operation {operation!r}"}, {}
        try:
            answer, made = known[operation]()
        except CheckFailedError as error:
            return {"ok": False, "kind": "check", "error": error.message}, {}
        except EdgewrightError as error:
            return {"ok": False, "kind": "input", "error": getattr(error, "reason", error.message)}, {}
        except MemoryError:
            return {"ok": False, "kind": "input", "error": "There is not enough memory."}, {}
        except Exception as error:  # noqa: BLE001 - the other end must hear of it, whatever it is
            return {"ok": False, "kind": "bug", "error": f"{type(error).__name__}: {error}"}, {}
        return {"ok": True, **dataclasses.asdict(answer)}, made

    def operations(self, message: dict[str, object], arrays: Arrays) -> Operations:
        """What can be asked, by name; each reads the request when it is called."""
        return {
            "hello": self._hello,
            "samples": lambda: self._keep(_read(Keep, message), arrays),
            "load": lambda: self._load(_read(Load, message)),
            "cold_start": lambda: self._cold_start(_read(ColdStart, message)),
            "answer": lambda: self._answer(_read(Samples, message)),
            "feeds": lambda: self._feeds(_read(Samples, message)),
            "time": lambda: self._time(_read(Samples, message)),
            "time_tokens": lambda: self._time_tokens(_read(TimeTokens, message)),
            "energy": lambda: self._energy(_read(Samples, message)),
            "memory": self._memory,
            "verify": lambda: self._verify(_read(Verify, message)),
            "finished": lambda: self._finished(_read(Found, message)),
        }

    def _hello(self) -> tuple[Response, Arrays]:
        facts = host_facts()
        if self._emulator is not None:
            # The memory is that of the machine around it, and its processor's name would read like a real one's.
            facts = dataclasses.replace(facts, cpu=self._emulator, memory_bytes=0, emulated=True)
        return Hello(PROTOCOL, __version__, facts), {}

    def _keep(self, request: Keep, arrays: Arrays) -> tuple[Response, Arrays]:
        self._samples = unpack_samples(list(request.samples), arrays)
        return Done(), {}

    def _load(self, request: Load) -> tuple[Response, Arrays]:
        # Libraries are imported before the clock starts: a process pays for them once, not for each model.
        import onnxruntime  # noqa: F401

        from edgewright_runtime.loading import load
        from edgewright_runtime.probe import Probe

        start = time.perf_counter()
        # Passing engines over is the caller's business here: it asked for one by name.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = load(
                request.package,
                engine=request.engine,
                threads=request.threads,
                emulate=request.emulate,
                log_warnings=self._log_warnings,
            )
        self._probe = Probe(model)
        # An emulator takes seconds an answer, and a first one warms nothing up there.
        if self._samples and not model.engine.emulated:
            self._probe.call_for_timing(self._samples[0])
        seconds = time.perf_counter() - start
        return Loaded(seconds, model.engine), {}

    def _cold_start(self, request: ColdStart) -> tuple[Response, Arrays]:
        from edgewright_runtime.cold_start import ColdStarter

        if self._emulator is not None or host_facts().emulated:
            raise InputError("The processor is emulated, where a start cannot be timed.")
        # One for all starts: it has the cache of bytecode.
        self._starter = self._starter or ColdStarter()
        return self._starter.start(request, self._samples[0]), {}

    def _answer(self, request: Samples) -> tuple[Response, Arrays]:
        probe = self._loaded()
        made: Arrays = {}
        changes: list[tuple[int, str, str]] = []
        for index in request.indices:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", SampleWarning)
                values = probe.values_for_comparison(self._samples[index])
            changes += [(index, one.category.__name__, str(one.message)) for one in caught if _of_sample(one)]
            made |= {f"{index}/{name}": value for name, value in values["outputs"].items()}
            # Labels and arrays are told from the outputs; other answers take steps that only the package has.
            pipeline = probe.model.manifest.pipeline
            if pipeline.output not in ("labels", "*"):
                answer = values[pipeline.measured.answer if pipeline.measured else pipeline.output]
                made[f"{index}/{ANSWER}"] = pack_answer(answer)
        return Answered(tuple(changes)), made

    def _feeds(self, request: Samples) -> tuple[Response, Arrays]:
        probe = self._loaded()
        made: Arrays = {}
        for index in request.indices:
            made |= {f"{index}/{name}": value for name, value in probe.golden_feeds(self._samples[index]).items()}
        return Done(), made

    def _time(self, request: Samples) -> tuple[Response, Arrays]:
        probe = self._loaded_here()
        # One call that is not counted: after a pause, threads have to wake and caches to fill again.
        probe.call_for_timing(self._samples[request.indices[0]])
        seconds, worked = [], []
        for index in request.indices:
            sample = self._samples[index]
            before = time.process_time()
            start = time.perf_counter()
            probe.call_for_timing(sample)
            seconds.append(time.perf_counter() - start)
            worked.append(time.process_time() - before)
        shares = sorted(used / spent for used, spent in zip(worked, seconds, strict=True))
        # The middle call, as of the times; where the clock of the processor is too coarse for a call, all together.
        return Timed(tuple(seconds), max(shares[len(shares) // 2], sum(worked) / sum(seconds))), {}

    def _time_tokens(self, request: TimeTokens) -> tuple[Response, Arrays]:
        from edgewright_runtime.token_times import time_tokens

        return time_tokens(self._loaded_here().model, self._samples, request), {}

    def _energy(self, request: Samples) -> tuple[Response, Arrays]:
        from edgewright_runtime.energy import read_energy
        from edgewright_runtime.energy_sensors import find_sensors

        probe = self._loaded_here()
        calls = [functools.partial(probe.call_for_timing, self._samples[index]) for index in request.indices]
        return read_energy(*find_sensors(), calls, probe.timed_tokens), {}

    def _memory(self) -> tuple[Response, Arrays]:
        return Memory(peak_memory_bytes()), {}

    def _verify(self, request: Verify) -> tuple[Response, Arrays]:
        from edgewright_runtime.selftest import verify

        with warnings.catch_warnings():
            # What was passed over is in the answer.
            warnings.simplefilter("ignore")
            report = verify(request.package, engine=request.engine, strict=request.strict)
        return report, {}

    def _finished(self, request: Found) -> tuple[Response, Arrays]:
        from edgewright_runtime.finished import write_finished
        from edgewright_runtime.package import Package

        package = Package.open(request.package)
        write_finished(package, package.manifest.engines[request.found.engine], None, request.found)
        return Done(), {}

    def _loaded_here(self) -> Probe:
        """What is loaded, where it may be timed."""
        probe = self._loaded()
        engine = probe.model.engine
        if engine.emulated:
            raise InputError(f"Engine '{engine.name}' runs in an emulator, where its calls cannot be timed.")
        return probe

    def _loaded(self) -> Probe:
        if self._probe is None:
            raise RuntimeError("nothing is loaded")
        return self._probe


def _read(kind: type[T], message: dict[str, object]) -> T:
    return read_record(kind, message, "request")


def _of_sample(caught: warnings.WarningMessage) -> bool:
    return issubclass(caught.category, SampleWarning)


def serve(requests: BinaryIO, answers: BinaryIO, *, emulator: str | None = None, worker: Worker | None = None) -> None:
    """Answer requests until `stop` or the end of the stream."""
    worker = worker or Worker(emulator)
    while True:
        try:
            request, arrays = receive(requests)
        except WireError:
            return
        if request.get("op") == "stop":
            return
        answer, made = worker.handle(request, arrays)
        send(answers, answer, made)


def main(*, emulator: str | None = None, worker: Worker | None = None) -> None:
    """Serve on standard input and output; whatever a library prints goes to standard error instead.

    Args:
        emulator: Who starts this in an emulator names it and the processor; from inside only the fact can be seen.
        worker: Who answers, where it can do more than this one.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers, emulator=emulator, worker=worker)


if __name__ == "__main__":
    main()
