"""Results of an application as a bench and a build of a voice assistant would find them, made from a seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.report_fixtures import accuracy, build_result
from edgewright_benchmarks.applications.fitted_weights import FittedWeights
from edgewright_benchmarks.applications.model_facts import ModelFacts
from edgewright_benchmarks.applications.threshold_result import FoundThreshold, TriedThreshold
from edgewright_benchmarks.applications.whole_memory import WholeMemory
from edgewright_benchmarks.applications.whole_result import (
    Failure,
    StepFigures,
    ValueFigures,
    WholeLatency,
    WholeResult,
)
from edgewright_benchmarks.interval import Interval
from edgewright_benchmarks.result import DataFacts, Settings
from edgewright_benchmarks.statistics.percentiles import latency_draws

FAILED = "In the step 'transcript': the file is not a recording."
REASON = "'thorough' runs where 'quick.score < 0.8': for 40 of 400 samples."


def latency(median: float, *, seed: int) -> WholeLatency:
    generator = np.random.default_rng(seed)
    rounds = tuple(
        tuple(float(value) for value in median * np.exp(generator.gamma(1.2, 0.05, 40) - 0.04)) for _ in range(6)
    )
    draws = latency_draws(rounds, resamples=100)
    return WholeLatency(
        rounds=rounds,
        mean=float(np.mean(rounds)),
        **{name: draws.values[name] for name in ("p50", "p90", "p95", "p99", "throughput")},
        intervals=draws.intervals(),
    )


def step(name: str, does: str, share: float, **changes: Any) -> StepFigures:
    return replace(
        StepFigures(name=name, does=does, samples=398, calls=398, share=share, median=share * 0.12), **changes
    )


def whole_result(**changes: Any) -> WholeResult:
    """A bench of a voice assistant, in which two recordings and a crop could not be read."""
    made = build_result()
    result = WholeResult(
        name="assistant",
        data=DataFacts("commands.csv", "sha256:" + "9a7e" * 16, 400, labelled=True),
        machine=made.machine,
        versions=made.versions,
        settings=Settings(rounds=6, calls=40, warmup=400, threads=2, seed=0),
        engines={"recogniser": "x86-64-cpu-int8", "quick": "x86-64-cpu-fp32"},
        latency=latency(0.12, seed=11),
        steps=(
            step("transcript", "recogniser", 0.823),
            step("quick", "quick", 0.05),
            step("thorough", "thorough", 0.1, samples=40, calls=40, when="quick.score < 0.8", held=40),
            step("intent", "first", 0.001),
            step("reply", "template", 0.002),
        ),
        values=(
            ValueFigures("intent", "accuracy", 2, accuracy(0.955, 0.0, 0.0, names=("accuracy",))),
            ValueFigures("transcript", "word_error_rate", 2, accuracy(0.91, 0.0, 0.0, names=("word_accuracy",))),
        ),
        failed=2,
        failed_values=1,
        failures=(Failure(17, FAILED), Failure(18, FAILED), Failure(30, "The crop is empty.", "texts", 4)),
        warnings=("'reply' has the metric accuracy, and commands.csv has no column 'reply', so it was not judged.",),
        memory=WholeMemory(
            peak_bytes=312_000_000, empty_bytes=61_000_000, samples=64, max_bytes=400_000_000, unloaded=7
        ),
        created="2026-11-03T09:30:00Z",
        models=(
            ModelFacts(
                name="recogniser",
                task="automatic-speech-recognition",
                engine="x86-64-cpu-int8",
                provider="CPUExecutionProvider",
                precision="int8",
                target="x86-64",
                rung="emulated",
                drop=Interval(0.002, -0.001, 0.0062),
            ),
            ModelFacts(
                name="quick",
                task="text-classification",
                engine="x86-64-cpu-fp32",
                provider="CPUExecutionProvider",
                precision="fp32",
                target="x86-64",
                rung="measured",
                ratio=Interval(0.5, 0.48, 0.52),
                drop=Interval(0.0, 0.0, 0.0),
                measure="agreement",
            ),
            ModelFacts(name="thorough", task="text-classification"),
        ),
    )
    return replace(result, **changes)


def whole_built(**changes: Any) -> WholeResult:
    """The evidence of its build, on other data: a threshold and weights were found."""
    tried = tuple(
        TriedThreshold(
            constant=0.99 - 0.19 * index,
            asked=200 - 160 * index,
            drop=Interval(0.001 * index, -0.001, 0.004 + 0.004 * index),
            mean_seconds=0.13 - 0.02 * index,
            p95_seconds=0.2,
            kept=True,
        )
        for index in range(2)
    )
    threshold = FoundThreshold(
        step="thorough",
        declared="quick.score < found",
        when="quick.score < 0.8",
        value="intent",
        metric="accuracy",
        samples=400,
        max_drop=0.01,
        asked=40,
        mean_seconds=0.11,
        p95_seconds=0.2,
        always_mean_seconds=0.16,
        always_p95_seconds=0.21,
        tried=tried,
        reason=REASON,
    )
    fitted = FittedWeights(
        step="both",
        weights={"picture": 1.25, "caption": 0.0},
        temperatures={"picture": 0.9, "caption": 2.4},
        samples=300,
        log_loss=0.21,
        log_loss_equal=0.34,
    )
    built = whole_result(
        data=DataFacts("validation.csv", "sha256:" + "1b2c" * 16, 400, labelled=True),
        thresholds=(threshold,),
        fitted=(fitted,),
    )
    return replace(built, **changes)
