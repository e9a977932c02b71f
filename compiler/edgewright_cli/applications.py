"""Applications on the command line: what `build`, `run`, `inspect` and `verify` do for several models in one."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_cli.bench_application import of_one_model, whole_text
from edgewright_cli.built import run_build
from edgewright_cli.call_options import asked_options
from edgewright_cli.console import (
    bold,
    grey,
    megabytes,
    print_json,
    progress,
    say_warning,
    spoken_warnings,
    table,
    wrapped,
)
from edgewright_cli.samples import answer_lines, input_value, input_values, plain
from edgewright_runtime.applications.value_types import item_type
from edgewright_runtime.package_files import folder_bytes
from edgewright_targets import InputError
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_compiler.applications.prove_whole import ProvenWhole
    from edgewright_runtime.applications.application import Application, ApplicationPackage
    from edgewright_runtime.applications.running import FlowRun
    from edgewright_runtime.steps.values import NamedValues

# Type of a value -> what pipelines that give it call it, as lines and JSON are made by that.
_OUTPUTS = {
    "labels": "labels",
    "answer": "answer",
    "box[]": "boxes",
    "pose[]": "poses",
    "entity[]": "entities",
    "passage[]": "ranking",
    "keyword[]": "keywords",
    "segmentation": "segmentation",
    "depth": "depth",
}
# Settings of `build` that are one model's own; the others hold for the whole, or for the builds of all models.
_OF_ONE_MODEL = ("task", "labels", "metric", "pre", "post", "data.emulated_samples")


def build(options: argparse.Namespace, given: Mapping[str, object], options_by_name: Mapping[str, str]) -> int:
    """Write the package of an application.

    Args:
        options: Of the call.
        given: The settings that it says, by name.
        options_by_name: Setting -> its option.
    """
    from edgewright_compiler.applications import build_application

    for name in given:
        if name in _OF_ONE_MODEL:
            raise InputError(
                f"{options_by_name[name]} belongs to the build of one model, and '{options.source}' declares an "
                "application.",
                hint="Write it into the table [model.NAME] of that model.",
            )
    if "output" not in given:
        raise InputError("The following argument is required: --output.", hint="'edgewright build --help' has more.")
    models = {name: value for name, value in given.items() if name not in ("source", "output", "archive")}
    made = build_application(
        options.source,
        str(given["output"]),
        given=models,
        archive=bool(given.get("archive")),
        progress=progress(options),
        build_model=lambda plan: run_build(plan, options),
    )
    order, whole = made.checked.order, made.whole
    if options.json:
        facts = {"package": str(made.package), "archive": None if made.archive is None else str(made.archive)}
        models = {name: package.manifest.task for name, package in made.models.items()}
        result = None if whole.result is None else write_record(whole.result)
        golden = {"golden_samples": len(whole.golden.samples), "whole": result}
        print_json({**facts, "models": models, "steps": list(order), **golden})
        return 0
    if not options.quiet:
        print(wrapped(f"{len(made.models)} models, and the steps {' -> '.join(order)}."))
        print()
        _show_whole(whole)
    print(f"{bold(str(made.package))}  {megabytes(folder_bytes(made.package))}")
    if made.archive:
        print(f"{bold(str(made.archive))}  {megabytes(made.archive.stat().st_size)}")
    return 0


def _show_whole(whole: ProvenWhole) -> None:
    """Print what was measured of the whole, and what there is to say of its golden samples."""
    if whole.result is not None:
        for warning in whole.result.warnings:
            say_warning(warning)
        print(whole_text(whole.result))
        print()
    if sentence := whole.golden.sentence():
        say_warning(sentence)
    if whole.golden.samples:
        print(
            wrapped(
                f"The package holds {len(whole.golden.samples)} samples of the whole. Whoever gets it can read them; "
                "--golden DATA replaces them, --no-golden-samples leaves them out."
            )
        )
        print()


def run(options: argparse.Namespace) -> int:
    """Answer inputs with an application."""
    from edgewright_runtime.applications import load_application

    _refuse(options, "engine", "strict", "output", "top_k", *asked_options(options))
    with load_application(options.package, threads=options.threads) as application:
        samples = _samples(options.inputs, application.package.checked.flow.input)
        found = []
        with spoken_warnings():
            for name, sample in samples:
                start = time.perf_counter()
                answered = application.run(sample)
                found.append((name, answered, time.perf_counter() - start))
        if options.json:
            engines = {name: info.name for name, info in application.engines.items()}
            print_json({"engines": engines, "answers": [_facts(application, *one) for one in found]})
            return 0
        for name, answered, seconds in found:
            if len(found) > 1:
                print(bold(name))
            _show(application, answered, seconds, quiet=options.quiet)
    return 0


def inspect(options: argparse.Namespace) -> int:
    """Show the models and the steps of an application."""
    from edgewright_benchmarks.applications.whole_result import whole_evidence
    from edgewright_runtime.applications.application import ApplicationPackage

    package = ApplicationPackage.open(options.package)
    flow = package.checked.flow
    golden = None if package.golden is None else write_record(package.golden)
    if options.json:
        models = {name: write_record(one.manifest) for name, one in package.models.items()}
        memory = {
            "on_float": package.on_float,
            "max_memory": package.max_memory,
            "memory": write_record(package.memory),
        }
        facts = {"name": package.name, "flow": write_record(flow), "order": package.checked.order, "models": models}
        evidence = {name: {one: of.evidence(one) for one in of.targets} for name, of in package.models.items()}
        print_json(
            {**facts, **memory, "golden": golden, "evidence": package.evidence(), "evidence_of_models": evidence}
        )
        return 0
    takes = ", ".join(f"{name} ({kind})" for name, kind in flow.input.items())
    print(bold(f"{package.name}: an application of {len(package.models)} models"))
    print(wrapped(f"It takes {takes}, and gives {', '.join(flow.answer)}."))
    if package.max_memory is not None:
        print(wrapped(f"Its limit of memory is {megabytes(package.max_memory)}."))
    print()
    rows = [(name, one.manifest.task, _first_engine(package, name)) for name, one in package.models.items()]
    print(table(("model", "task", "first engine"), rows))
    print()
    print(
        table(("step", "gives", "does", "from", "when"), [_step_row(package, name) for name in package.checked.order])
    )
    print()
    if package.golden is not None:
        print(wrapped(f"It holds {package.golden.samples} golden samples of the whole, which 'verify' runs."))
        print()
    measured = whole_evidence(package)
    if measured is not None:
        print(whole_text(measured))
        print()
    if rows:
        print(wrapped(f"The evidence of a model: edgewright inspect {package.models[rows[0][0]].root}"))
    return 0


def verify(options: argparse.Namespace) -> int:
    """Check the files of an application, the golden samples of each of its models, and those of the whole."""
    from edgewright_runtime import verify as verify_model
    from edgewright_runtime.applications.application import ApplicationPackage
    from edgewright_runtime.applications.selftest import verify_whole
    from edgewright_runtime.package import package_folder
    from edgewright_runtime.package_files import check_digests

    _refuse(options, "device", "target", "engine", "strict")
    # The archive itself, and not the copy that an earlier call unpacked.
    root = package_folder(options.package, check=True)
    files = check_digests(root, str(root))
    package = ApplicationPackage.open(root)
    reports, whole = {}, None
    if not options.structure_only:
        with spoken_warnings():
            reports = {name: verify_model(model.root) for name, model in package.models.items()}
            whole = verify_whole(package)
    if options.json:
        models = {name: write_record(one) for name, one in reports.items()}
        shown = None if whole is None else write_record(whole)
        print_json({"ok": True, "files": files, "models": models, "whole": shown})
    elif not options.quiet:
        print(wrapped(f"ok: {files} files match their digests."))
        for name, report in reports.items():
            print(
                wrapped(
                    f"{name}: {report.samples} golden samples differ from the float outputs by at most "
                    f"{report.difference:.2g} ({report.tolerance:.2g} is allowed)."
                )
            )
        if whole is not None:
            print(
                wrapped(
                    f"The whole: {whole.samples} golden samples have the answers of the float engines; numbers differ "
                    f"by at most {whole.difference:.2g} of them ({whole.tolerance:.2g} is allowed)."
                )
            )
        elif not options.structure_only:
            print(wrapped("The whole was not run: it was built without data of the whole (--evaluation or --golden)."))
    return 0


def _refuse(options: argparse.Namespace, *names: str) -> None:
    """Raise where an option is given that has no meaning for an application: nothing is ignored."""
    for name in names:
        if getattr(options, name, None):
            raise of_one_model(name, options.package)


def _samples(words: Sequence[str], inputs: Mapping[str, str]) -> list[tuple[str, NamedValues]]:
    """The samples that words of a command line stand for."""
    names = list(inputs)
    if len(names) > 1:
        pairs = dict(word.split("=", 1) for word in words if "=" in word)
        if set(pairs) != set(names) or len(pairs) != len(words):
            example = " ".join(f"{name}=..." for name in names)
            raise InputError(f"This application takes {' and '.join(names)}.", hint=f"Pass them as: {example}")
        return [(" ".join(words), {name: input_value(inputs[name], pairs[name]) for name in names})]
    if not words:
        raise InputError(f"No input was given; this application takes {names[0]} ({inputs[names[0]]}).")
    return [(word, {names[0]: value}) for word, value in input_values(words, inputs[names[0]])]


def _facts(application: Application, name: str, run: FlowRun, seconds: float) -> dict[str, object]:
    checked = application.package.checked
    answers = {value: _plain(checked.types[value], run.values[value]) for value in checked.flow.answer}
    failures = [{"step": step, "index": index, "reason": reason} for step, index, reason in run.failures]
    times = {"seconds": seconds, "seconds_by_step": run.seconds}
    return {"input": name, **times, "answers": answers, "left_out": run.left_out, "failures": failures}


def _show(application: Application, run: FlowRun, seconds: float, *, quiet: bool) -> None:
    checked = application.package.checked
    width = max(map(len, checked.flow.answer))
    for name in checked.flow.answer:
        took = "" if quiet or name not in run.seconds else grey(f"  [{1e3 * run.seconds[name]:.0f} ms]")
        value = run.values[name]
        if value is None:
            print(f"{name:<{width}}  ({run.left_out.get(name, 'it is missing.')}){took}")
            continue
        first, *others = _lines(checked.types[name], value) or ["(nothing)"]
        print(f"{name:<{width}}  {first}{took}")
        for line in others:
            print(f"{'':<{width}}  {line}")
    for step, index, reason in run.failures:
        say_warning(f"The step '{step}' failed on value {index + 1} of its list: {reason}")
    if not quiet:
        print(grey(f"{'':<{width}}  [{1e3 * seconds:.0f} ms in all]"))


def _lines(kind: str, value: Any) -> list[str]:
    if kind in _OUTPUTS:
        return answer_lines(_OUTPUTS[kind], value, drawn=False)
    item = item_type(kind)
    if item is not None:
        return [line for one in value for line in (["(missing)"] if one is None else _lines(item, one))]
    if kind == "number":
        return [f"{value:g}"]
    return answer_lines("", _plain(kind, value))


def _plain(kind: str, value: Any) -> Any:
    """A value as JSON has it; of pictures and recordings what can be read."""
    item = item_type(kind)
    if value is None:
        return None
    if kind in _OUTPUTS:
        return plain(_OUTPUTS[kind], value)
    if item is not None:
        return [_plain(item, one) for one in value]
    if kind == "image":
        if isinstance(value, (str, Path)):
            return str(value)
        return {"width": value.width, "height": value.height} if hasattr(value, "width") else plain("picture", value)
    if isinstance(value, dict) and "array" in value:
        return {"samples": len(value["array"]), "sampling_rate": value["sampling_rate"]}
    return str(value) if isinstance(value, Path) else plain("", value)


def _first_engine(package: ApplicationPackage, name: str) -> str:
    model = package.models[name]
    return model.manifest.baselines[model.targets[0]] if name in package.on_float else model.manifest.order[0]


def _step_row(package: ApplicationPackage, name: str) -> tuple[str, ...]:
    step = package.checked.flow.step[name]
    sources = ", ".join(dict.fromkeys(step.input.values()))
    each = f", for each of {step.each}" if step.each else ""
    return (name, package.checked.types[name], step.model or step.do or "", f"{sources}{each}", step.when or "")
