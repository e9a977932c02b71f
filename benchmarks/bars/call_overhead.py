"""Bar: a call through the runtime takes at most 1.05 times a call by hand, or at most 50 microseconds more.

By hand is the same tokenizer and the same engine with numpy's softmax around them.

The bar is held in one process: both sides call one session in turn on the same text, and the session is timed as well.
The engine is the same code on the same input for both, so each pair of calls is given the mean of its two engine
times: what is left is what the runtime adds, and a machine that is busy with something else does not blur it.

For information, the same calls are timed whole, in a process and with a session for each side: what different session
options would cost shows there, within the noise of the engine.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from _bars import Figure, Rounds, alternate, figure, main, median_interval, verdict
from _by_hand import ByHand
from _package import parts_by_hand, texts
from edgewright_benchmarks.devices.here import machine_to_itself
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.statistics.bounds import lower, upper
from edgewright_runtime import load

LIMIT = 1.05
LIMIT_MICROSECONDS = 50.0
ROUNDS = 30
# Golden samples are few, and a median of few calls is a rough one.
REPEATS = 4


class TimedSession:
    """A session that adds up the seconds spent in it."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.seconds = 0.0

    def run(self, outputs: Any, feeds: Any) -> Any:
        """As the session does."""
        start = time.perf_counter()
        values = self._session.run(outputs, feeds)
        self.seconds += time.perf_counter() - start
        return values


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    parts = parts_by_hand(options.package)
    samples = texts(options.package)
    rounds = options.rounds or ROUNDS
    shared = in_one_session(options.package, ByHand(parts), samples, rounds)
    extra = _extra(*shared)
    held = figure("call", "model(text) / by hand: one session, call by call", *shared, LIMIT, _note(extra))
    if verdict(extra, LIMIT_MICROSECONDS) == "pass":
        held = dataclasses.replace(held, verdict="pass")
    apart = _apart(options.package, parts, samples, rounds)
    told = figure("call", "model(text) / by hand: a process each, in rounds", *apart, None, _note(_extra(*apart)))
    return [held, told]


def _extra(ours: Rounds, theirs: Rounds) -> Interval:
    # Both sides of a round answered the same texts in the same order, so calls are compared one by one.
    pairs = [zip(one, other, strict=True) for one, other in zip(ours, theirs, strict=True)]
    return median_interval([statistics.median((a - b) * 1e6 for a, b in pair) for pair in pairs])


def _note(extra: Interval) -> str:
    return f"{extra.value:+.0f} us ({lower(extra.low, 0):+.0f} to {upper(extra.high, 0):+.0f})"


def in_one_session(package: str, by_hand: Any, samples: list[str], rounds: int) -> tuple[Rounds, Rounds]:
    """Seconds of the same calls of a package and of `by_hand`, which gets the package's own session."""
    ours: Rounds = []
    theirs: Rounds = []
    with load(package) as model, machine_to_itself(Quiet()):
        graph = model._engine.graph("model")  # noqa: SLF001 - two sessions would disturb one another
        graph.session = by_hand.session = TimedSession(graph.session)
        for number in range(rounds + 1):
            found: list[tuple[float, float]] = []
            for index, text in enumerate(samples * REPEATS):
                # Who is first changes from call to call and from round to round.
                pair = (model, by_hand) if (index + number) % 2 else (by_hand, model)
                calls = {side: _around(side, by_hand.session, text) for side in pair}
                engine = sum(inside for _, inside in calls.values()) / 2
                found.append((calls[model][0] + engine, calls[by_hand][0] + engine))
            if number:
                ours.append([mine for mine, _ in found])
                theirs.append([hand for _, hand in found])
    return ours, theirs


def _around(side: Callable[[str], Any], session: TimedSession, text: str) -> tuple[float, float]:
    before = session.seconds
    whole = _seconds(side, text)
    inside = session.seconds - before
    return whole - inside, inside


def _apart(package: str, parts: dict[str, Any], samples: list[str], rounds: int) -> tuple[Rounds, Rounds]:
    ours = _side(load, package, samples)
    theirs = _side(ByHand, parts, samples)
    found = alternate({"ours": ours, "by hand": theirs}, rounds)
    return found["ours"], found["by hand"]


def _side(make: Callable[[Any], Any], argument: Any, samples: list[str]) -> Callable[[], list[float]]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    context.Process(target=_serve, args=(there, make, argument, samples), daemon=True).start()
    # With the other end open here as well, a process that died would be waited for for ever.
    there.close()

    def one_round() -> list[float]:
        here.send(None)
        values: list[float] = here.recv()
        return values

    return one_round


def _serve(connection: Connection, make: Callable[[Any], Any], argument: Any, samples: list[str]) -> None:
    model = make(argument)
    # The other end closes the pipe when it is done.
    with contextlib.suppress(EOFError):
        while True:
            connection.recv()
            # After a pause threads have to wake: one call that is not counted.
            model(samples[0])
            connection.send([_seconds(model, text) for text in samples])


def _seconds(model: Callable[[str], Any], text: str) -> float:
    start = time.perf_counter()
    model(text)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure]))
