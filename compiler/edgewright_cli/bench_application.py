"""`edgewright bench` of an application: the whole on labelled data, as tables in 80 columns."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgewright_cli.console import bold, megabytes, print_json, progress, say_warning, spoken_warnings, table, wrapped
from edgewright_cli.files import check_writable, write_file
from edgewright_cli.options import meter_settings
from edgewright_cli.report_files import is_page
from edgewright_targets import InputError
from edgewright_targets.installed import check_installed, needs
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_benchmarks.applications.whole_memory import WholeMemory
    from edgewright_benchmarks.applications.whole_result import Failure, WholeResult
    from edgewright_benchmarks.interval import Interval

# Options of the verb that say nothing about a whole application, with what they are where nobody says them.
_OF_ONE_MODEL: dict[str, object] = {
    "quote_samples": False,
    "update_baseline": None,
    "metric": "",
    "pre": "",
    "post": "",
    "device": None,
    "target": None,
    "keep": False,
    "loads": 3,
    "beside": None,
    "until": None,
    "most_rounds": None,
    "most_time": None,
    "cold_starts": 0,
    "energy": False,
    "prompt_lengths": None,
    "scenario": [],
    "latency_limit": None,
    "sweep": [],
    "scenario_seconds": None,
    "scenario_runs": None,
    "scenario_logs": None,
}
# Failures that a terminal shows; `-o` has more.
_SHOWN = 5
_PERCENTILES = ("p50", "p95", "p99")


def bench(options: argparse.Namespace) -> int:
    """Measure an application on data of the whole."""
    for name, default in _OF_ONE_MODEL.items():
        if getattr(options, name, default) != default:
            raise of_one_model(name, options.package)
    with needs("bench"):
        check_installed("scipy", "sklearn")
        from edgewright_benchmarks.applications.bench_whole import bench_application
        from edgewright_benchmarks.applications.whole_result import whole_evidence
        from edgewright_benchmarks.data import DataWarning
        from edgewright_benchmarks.result_files import write_with_digest
        from edgewright_runtime.applications.application import ApplicationPackage
        from edgewright_runtime.errors import EngineFallbackWarning, OtherProcessorWarning

    for path in (options.report, options.output):
        check_writable(path)
    render = _renderer(options.report) if options.report else None
    with spoken_warnings(DataWarning), spoken_warnings(EngineFallbackWarning), spoken_warnings(OtherProcessorWarning):
        result = bench_application(
            options.package,
            options.data,
            settings=meter_settings(options),
            progress=progress(options),
            confidence=options.confidence,
        )
    if options.output:
        write_file(options.output, lambda path: write_with_digest(result, path))
    if render is not None:
        text = render(result, whole_evidence(ApplicationPackage.open(options.package)))
        write_file(options.report, lambda path: path.write_text(text, encoding="utf-8"))
    if options.json:
        print_json(write_record(result))
        return 0
    if not options.quiet:
        for warning in result.warnings:
            say_warning(warning)
        print(whole_text(result))
    else:
        print(wrapped(headline(result)))
    for path in filter(None, (options.report, options.output)):
        print(f"Written: {bold(path)}")
    return 0


def _renderer(path: str) -> Callable[[WholeResult, WholeResult | None], str]:
    """What makes the report; found before the measurement."""
    page = is_page(path)
    with needs("report"):
        from edgewright_benchmarks.report.whole_html import render_whole_html
        from edgewright_benchmarks.report.whole_markdown import render_whole_markdown
    return render_whole_html if page else render_whole_markdown


def of_one_model(name: str, package: str) -> InputError:
    """That an option has no meaning for an application: nothing is ignored.

    Args:
        name: The option's name in the arguments.
        package: The application.
    """
    return InputError(
        f"--{name.replace('_', '-')} is for the package of one model, and '{package}' is an application.",
        hint="Its models are packages: pass one of the folders in its 'models'.",
    )


def headline(result: WholeResult) -> str:
    """What was measured, as a sentence."""
    from edgewright_benchmarks.metrics import metric_span, metric_title, metric_value

    latency = result.latency
    times = f"p50 {_ms(latency.p50)} ms, p95 {_ms(latency.p95)} ms"
    failed = f" {result.failed} of {result.data.samples} samples failed." if result.failed else ""
    if not result.values:
        return f"{result.name}: {times}.{failed}"
    first = result.values[0]
    name, interval = next(iter(first.accuracy.metrics.items()))
    figure = f"{metric_title(name, 'accuracy', first=True)} of '{first.value}' {metric_value(name, interval.value)}"
    return f"{result.name}: {figure} ({metric_span(name, interval)}), {times}.{failed}"


def whole_text(result: WholeResult) -> str:
    """The whole result for people; fits in 80 columns."""
    from edgewright_benchmarks.applications.float_whole import float_sentence

    data = f"{result.data.samples:,} samples of {result.data.name}"
    sure = f"{100 * result.confidence:g} %"
    parts = [wrapped(f"{bold(result.name)} on {data}, {result.rung} on {result.machine.cpu}."), ""]
    if result.values:
        parts += [_values(result), ""]
    for sentence in (float_sentence(result), "" if result.chosen_engines is None else result.chosen_engines.reason):
        if sentence:
            parts += [wrapped(sentence), ""]
    rows = [(name, _ms(getattr(result.latency, name)), _span(result.latency.intervals[name])) for name in _PERCENTILES]
    rows.append(("mean", _ms(result.latency.mean), ""))
    parts += [table(("latency", "ms", f"interval of {sure}"), rows, (1,)), ""]
    if result.memory is not None:
        parts += [wrapped(memory_sentence(result.memory)), ""]
    parts.append(table(("step", "does", "ran", "calls", "share", "p50 ms"), _steps(result), (2, 3, 4, 5)))
    conditions = [step for step in result.steps if step.held is not None]
    if conditions:
        asked = [(_cut(step.name), _share(step.held or 0, result), _cut(step.when, 40)) for step in conditions]
        parts += ["", table(("step", "held", "condition"), asked, (1,))]
    for fitted in result.fitted:
        weights = ", ".join(f"{name} {weight:.3g}" for name, weight in fitted.weights.items())
        parts.append("")
        parts.append(
            wrapped(
                f"Weights of '{fitted.step}', fitted on {fitted.samples:,} samples: {weights}. The log loss there is "
                f"{fitted.log_loss:.3g}, and {fitted.log_loss_equal:.3g} with equal weights."
            )
        )
    for threshold in result.thresholds:
        parts += ["", wrapped(threshold.reason)]
    if result.failures:
        parts += ["", wrapped(_failed(result))]
        parts += [wrapped(_failure(one), "  ", "  ") for one in result.failures[:_SHOWN]]
    return "\n".join(parts)


def memory_sentence(memory: WholeMemory) -> str:
    """What a process that runs the whole takes."""
    counted = f"{memory.samples:,} sample{'s' * (memory.samples != 1)}"
    text = (
        f"A process that runs it takes {megabytes(memory.peak_bytes)} of memory at its peak ({counted}), and "
        f"{megabytes(memory.empty_bytes)} before a model is loaded."
    )
    if memory.max_bytes is None:
        return text
    times = f"{memory.unloaded:,} time{'s' * (memory.unloaded != 1)}"
    return f"{text} The limit is {megabytes(memory.max_bytes)}: a model was let go {times}."


def _values(result: WholeResult) -> str:
    from edgewright_benchmarks.metrics import metric_span, metric_title, metric_value

    rows = []
    for figures in result.values:
        for index, (name, interval) in enumerate(figures.accuracy.metrics.items()):
            first = index == 0
            title = metric_title(name, "accuracy", first=first).partition(" (")[0]
            missing = f"{figures.missing:,}" if first else ""
            shown = _cut(figures.value) if first else ""
            rows.append((shown, title, metric_value(name, interval.value), metric_span(name, interval), missing))
    return table(("value", "metric", "", "interval of 95 %", "missing"), rows, (2, 4))


def _steps(result: WholeResult) -> list[tuple[str, ...]]:
    return [
        (
            _cut(step.name),
            _cut(step.does),
            _share(step.samples, result),
            f"{step.calls:,}",
            f"{100 * step.share:.1f}%",
            "-" if step.median is None else _ms(step.median),
        )
        for step in result.steps
    ]


def _share(samples: int, result: WholeResult) -> str:
    return f"{samples:,} of {result.data.samples:,}"


def _failed(result: WholeResult) -> str:
    counts = []
    if result.failed:
        counts.append(f"{result.failed:,} of {result.data.samples:,} samples failed and count as wrong")
    if result.failed_values:
        counts.append(f"{result.failed_values:,} values of lists failed")
    more = f" The first {_SHOWN}; -o FILE lists more:" if len(result.failures) > _SHOWN else ""
    return f"{'; '.join(counts)}.{more}"


def _failure(failure: Failure) -> str:
    where = f", value {(failure.index or 0) + 1} of '{failure.step}'" if failure.step else ""
    return f"sample {failure.sample}{where}: {failure.reason}"


def _ms(seconds: float) -> str:
    from edgewright_benchmarks.statistics.bounds import significant

    return significant(1e3 * seconds)


def _span(interval: Interval) -> str:
    return f"{_ms(interval.low)} to {_ms(interval.high)}"


def _cut(text: str, width: int = 20) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
