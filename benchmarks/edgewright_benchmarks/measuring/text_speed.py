"""Generated texts are timed token by token, after prompts of several lengths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from edgewright_benchmarks.costs import TextSpeed, UnknownFigure
from edgewright_benchmarks.devices.engine_worker import EngineWorker, WorkerError
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.measuring.turns import running_engines, take_turns
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.statistics.medians import median_interval
from edgewright_runtime.manifest import Manifest, StepSpec
from edgewright_runtime.requests import TimeTokens
from edgewright_runtime.responses import TokenTimes
from edgewright_runtime.steps import step_kind
from edgewright_targets import InputError

# Tokens of prompts where a bench does not say: a question, a paragraph, a page.
USUAL_LENGTHS: Final = (16, 64, 256)
# Tokens after a prompt: as many as the calls whose latency is taken make.
NEW_TOKENS: Final = 16
# The name under which these figures are unknown.
TEXT_SPEED: Final = "text_speed"


def prompt_lengths(manifest: Manifest, asked: tuple[int, ...] | None) -> tuple[int, ...]:
    """The lengths of prompts after which texts of a package are timed; none where it generates no texts from texts.

    Args:
        manifest: Of the package.
        asked: What the user said; None is the usual lengths, as far as the model takes them.

    Raises:
        InputError: The user said some, and the package generates no texts from texts, or takes no such prompts.
    """
    names = [spec.step for spec in manifest.pipeline.steps]
    writes = names.index("generate") if "generate" in names else 0
    reads = [spec for spec in manifest.pipeline.steps[:writes] if step_kind(spec.step).tokenizes]
    if not reads:
        if asked:
            raise InputError(
                f"--prompt-lengths: models for {manifest.task} do not generate texts from texts.",
                hint="Leave the option out.",
            )
        return ()
    most = _most_tokens(reads[-1], manifest.pipeline.steps[writes])
    if asked is None:
        return tuple(length for length in USUAL_LENGTHS if length <= most) or ((most,) if most > 0 else ())
    if asked and max(asked) > most:
        raise InputError(
            f"--prompt-lengths: the model takes prompts of at most {most:,} tokens, and {max(asked):,} were asked for.",
            hint=f"{NEW_TOKENS} tokens are made after each prompt, which a model of one graph counts with it.",
        )
    return tuple(dict.fromkeys(asked))


def _most_tokens(reads: StepSpec, writes: StepSpec) -> int:
    """Tokens of the longest prompt: where one graph reads and writes, its positions are for both."""
    own = int(reads.options.get("max_length", 0)) or None
    if writes.options["loop"]["tokens"] not in reads.options["outputs"]:
        return own or int(writes.options["max_length"])
    room = int(writes.options["max_length"]) - NEW_TOKENS
    return min(own, room) if own else room


def read_text_speed(
    workers: Mapping[str, EngineWorker],
    readings: dict[str, Readings],
    samples: Sequence[Any],
    settings: MeterSettings,
    progress: Progress,
) -> None:
    """Add how fast texts come to the readings of engines that run, as many prompts of each length as there are rounds.

    Engines take turns, each after the same prompts. The first text of each engine and length is not counted. An engine
    that cannot do it keeps its other readings.
    """
    lengths = settings.prompt_lengths or ()
    running = running_engines(readings, workers)
    if not lengths or not running:
        return
    starts = np.random.default_rng(settings.seed).integers(len(samples), size=(len(lengths), settings.rounds + 1))
    turns = [
        (TimeTokens(index=index, prompt_tokens=length, new_tokens=NEW_TOKENS), number > 0)
        for length, of_length in zip(lengths, starts.tolist(), strict=True)
        for number, index in enumerate(of_length)
    ]

    def time(name: str, turn: tuple[TimeTokens, bool]) -> bool:
        request, counted = turn
        readings[name] = _with(readings[name], workers[name], request, counted=counted)
        return not readings[name].unknown

    take_turns(running, turns, time, "timing tokens", progress)


def _with(found: Readings, worker: EngineWorker, request: TimeTokens, *, counted: bool) -> Readings:
    try:
        times = worker.time_tokens(request)
    except WorkerError as error:
        unknown = UnknownFigure(TEXT_SPEED, str(error))
        return replace(found, token_times=(), unknown=(*found.unknown, unknown))
    return replace(found, token_times=(*found.token_times, times)) if counted else found


def text_speeds_of(times: Iterable[TokenTimes], confidence: float) -> tuple[TextSpeed, ...]:
    """The figures for each length of a prompt."""
    by_length: dict[int, list[TokenTimes]] = {}
    for one in times:
        by_length.setdefault(one.prompt_tokens, []).append(one)
    return tuple(_speed(length, found, confidence) for length, found in by_length.items())


def _speed(length: int, times: Sequence[TokenTimes], confidence: float) -> TextSpeed:
    return TextSpeed(
        prompt_tokens=length,
        new_tokens=times[0].new_tokens,
        readings=tuple(times),
        first_token=median_interval([one.first_token for one in times], confidence),
        tokens_per_second=median_interval([(one.new_tokens - 1) / one.following for one in times], confidence),
    )
