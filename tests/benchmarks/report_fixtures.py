"""Results as a build and a bench of a small text classifier would find them, made from a seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edgewright_benchmarks.engine_result import Accuracy, EngineResult, Interval, Latency
from edgewright_benchmarks.result import DataFacts, Result, Settings
from edgewright_benchmarks.search_trace import FloatNode, SearchTrace, TriedEngine
from edgewright_benchmarks.statistics.percentiles import latency_draws
from edgewright_targets import HostFacts

BASELINE = "x86-64-cpu-fp32"
CHOSEN = "x86-64-cpu-int8"
REFUSED = "x86-64-cpu-int8-dynamic"
REFUSED_REASON = "Accuracy fell by 1.62 points (at most 2.31 with 95% confidence); the budget is 1.00 points."
FAILED_REASON = (
    "The OpenVINO provider offers no device on this machine: register_execution_provider_library found none."
)
REASON = "The fastest engine that is within the accuracy budget: 2.39 times as fast as float, at most 0.62 points lost."

_CPU = "CPUExecutionProvider"
_OPENVINO = "OpenVINOExecutionProvider"


def latency(median: float, ratio: float, *, seed: int) -> Latency:
    generator = np.random.default_rng(seed)
    rounds = []
    for _ in range(5):
        values = median * np.exp(generator.gamma(1.2, 0.035, 200) - 0.027)
        values[generator.random(200) < 0.01] *= 1.6
        rounds.append(tuple(float(value) for value in values))
    everything = np.array(rounds).ravel()
    p50, p90, p95, p99 = (float(value) for value in np.percentile(everything, [50, 90, 95, 99]))
    spread = 0.0 if ratio == 1 else 0.03 * ratio
    return Latency(
        rounds=tuple(rounds),
        median=p50,
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        throughput=float(1 / everything.mean()),
        ratio=Interval(ratio, ratio - spread, ratio + spread),
        busy=0.98,
        intervals=latency_draws(rounds, resamples=100).intervals(),
    )


def accuracy(value: float, drop: float, high: float, *, names: tuple[str, ...] = ("accuracy", "macro_f1")) -> Accuracy:
    metrics = {
        name: Interval(value - 0.004 * i, value - 0.009, min(1.0, value + 0.007)) for i, name in enumerate(names)
    }
    return Accuracy(metrics, Interval(drop, 2 * drop - high, high), 1000)


def engine(name: str, **changes: Any) -> EngineResult:
    made = EngineResult(
        name=name,
        target="x86-64",
        provider=_CPU,
        precision="fp32",
        rung="measured",
        status="baseline",
        latency=latency(0.0021, 1.0, seed=1),
        accuracy=accuracy(0.98, 0.0, 0.0),
        load_seconds=(0.21, 0.2, 0.22),
        peak_memory_bytes=231_000_000,
        size_bytes=90_870_000,
        nodes={_CPU: 214},
    )
    return replace(made, **changes)


def failed(name: str, precision: str) -> EngineResult:
    return EngineResult(
        name=name,
        target="x86-64",
        provider=_OPENVINO,
        precision=precision,
        rung="measured",
        status="failed",
        reasons=(FAILED_REASON,),
    )


def build_result(**changes: Any) -> Result:
    engines = (
        engine(BASELINE),
        engine(
            REFUSED,
            precision="int8-dynamic",
            status="refused",
            reasons=(REFUSED_REASON,),
            latency=latency(0.00085, 0.405, seed=2),
            accuracy=accuracy(0.9638, 0.0162, 0.0231),
            size_bytes=23_410_000,
            peak_memory_bytes=148_000_000,
            nodes={_CPU: 262},
        ),
        engine(
            CHOSEN,
            precision="int8",
            status="accepted",
            latency=latency(0.00088, 0.419, seed=3),
            accuracy=accuracy(0.978, 0.002, 0.0062),
            load_seconds=(0.12, 0.118, 0.125),
            size_bytes=23_120_000,
            peak_memory_bytes=143_500_000,
            nodes={_CPU: 239},
        ),
        failed("x86-64-openvino-default", "default"),
        failed("x86-64-openvino-fp32", "fp32"),
        failed("x86-64-openvino-int8", "int8"),
    )
    result = Result(
        kind="build",
        model="assist-intents",
        task="text-classification",
        measure="accuracy",
        max_drop=0.01,
        baseline=BASELINE,
        chosen=CHOSEN,
        reason=REASON,
        engines=engines,
        data=DataFacts("evaluation.csv", "sha256:" + "4f1c" * 16, 1000, labelled=True),
        machine=HostFacts(
            architecture="x86_64", system="Linux 6.1.0", cpu="Intel(R) Xeon(R) Processor", cores=2, threads=4,
            memory_bytes=16_700_000_000, python="3.11.2",
            features=("amx_int8", "avx2", "avx512_vnni", "avx512f", "fma"),
        ),
        versions={"onnxruntime": "1.32.0", "edgewright": "0.1.0", "numpy": "2.4.6"},
        settings=Settings(rounds=5, calls=200, warmup=20, threads=2, seed=0),
        warnings=(),
        created="2026-11-02T09:30:00Z",
    )  # fmt: skip
    return replace(result, **changes)


def bench_result(**changes: Any) -> Result:
    engines = (
        engine(BASELINE, latency=latency(0.00212, 1.0, seed=4), accuracy=accuracy(0.975, 0.0, 0.0)),
        replace(
            build_result().engine(CHOSEN),
            latency=latency(0.00089, 0.42, seed=5),
            accuracy=accuracy(0.972, 0.003, 0.0071),
        ),
    )
    result = replace(
        build_result(),
        kind="bench",
        engines=engines,
        data=DataFacts("test.csv", "sha256:" + "90ab" * 16, 1000, labelled=True),
        created="2026-11-02T10:00:00Z",
    )
    return replace(result, **changes)


def agreement_result(**changes: Any) -> Result:
    """A build on samples without labels; its own texts say agreement, so that any 'accuracy' is the report's."""
    engines = tuple(
        replace(
            one,
            reasons=("It agreed too rarely with the float model.",) if one.status == "refused" else one.reasons,
            accuracy=accuracy(
                1 - one.accuracy.drop.value, one.accuracy.drop.value, one.accuracy.drop.high, names=("agreement",)
            )
            if one.accuracy
            else None,
        )
        for one in build_result().engines
    )
    result = build_result(
        measure="agreement",
        engines=engines,
        reason="The fastest engine that answers as the float model does.",
        data=DataFacts("texts.csv", "sha256:" + "77ee" * 16, 1000, labelled=False),
    )
    return replace(result, **changes)


def searched_result(**changes: Any) -> Result:
    """A build with a search: forty engines between int8 and float, the winner found in three steps."""
    random = np.random.default_rng(7)
    found, tried = [], []
    for number in range(1, 41):
        kept = 40 - number
        ratio = 0.36 + 0.012 * kept + float(random.normal(0, 0.02))
        drop = max(-0.002, 0.03 * np.exp(-kept / 9) + float(random.normal(0, 0.0008)))
        name = f"x86-64-cpu-int8-s{number:02}"
        passed = drop + 0.004 <= 0.01 and ratio < 0.98
        found.append(
            engine(
                name,
                precision="int8-mixed",
                status="accepted" if passed else "refused",
                reasons=() if passed else ("Refused: it loses too much.",),
                latency=latency(0.0021 * ratio, ratio, seed=100 + number),
                accuracy=accuracy(0.98 - drop, drop, drop + 0.004),
            )
        )
        parent = REFUSED if number == 1 else f"x86-64-cpu-int8-s{number - 1:02}"
        tried.append(TriedEngine(name=name, parent=parent, why=f"{kept} layers in float.", seconds=11.0))
    accepted = [one for one in found if one.status == "accepted"]
    winner = min(accepted, key=lambda one: one.latency.ratio.value if one.latency else 1)
    nodes = (
        FloatNode(node="/encoder/layer.0/MatMul", operator="MatMul", component="model", reason="accuracy", error=0.031),
        FloatNode(node="/embeddings/Gather", operator="Gather", component="model", reason="slower", cost_seconds=2e-6),
        FloatNode(node="/pooler/Gemm", operator="Gemm", component="model", reason="no gain", cost_seconds=0.0),
    )
    build = build_result()
    trace = SearchTrace(
        seconds=574.0,
        bound="10m",
        ended="time",
        tried=tuple(tried),
        path=(REFUSED, found[9].name, winner.name),
        float_nodes=nodes,
    )
    engines = (
        *(
            replace(one, status="refused", accuracy=accuracy(0.965, 0.015, 0.019)) if one.name == CHOSEN else one
            for one in build.engines
        ),
        *found,
    )
    return replace(build, engines=engines, chosen=winner.name, search=trace, **changes)
