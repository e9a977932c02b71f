"""`edgewright run`: answer inputs with a package."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_cli import applications
from edgewright_cli.call_options import add_call_options, asked_options
from edgewright_cli.console import print_json, spoken_warnings
from edgewright_cli.drawing import check_output, write_drawings
from edgewright_cli.files import write_file
from edgewright_cli.generation import run_generator
from edgewright_cli.options import add_engine, positive
from edgewright_cli.samples import answer_lines, plain, read_samples
from edgewright_runtime.samples import LATENT_INPUT
from edgewright_runtime.steps.call_options import CALL_OPTIONS
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime import Model

EPILOG = """\
example:
  edgewright run intents.ortpackage "turn on the kitchen lights"
  edgewright run intents.ortpackage - --json < sentences.txt
  edgewright run prompts.ortpackage hello.wav goodbye.wav
  edgewright run clip.ortpackage photo.jpg --candidate-labels "a cat, a dog"
  edgewright run gpt.ortpackage "The weather today" --max-new-tokens 40
  edgewright run faces.ortpackage --seed 7 --out face.png
  edgewright run detector.ortpackage street.jpg --out boxed.png
  edgewright run digits.ortpackage input.npz --out answer.npz
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("package", help="package folder or archive")
    parser.add_argument(
        "inputs",
        nargs="*",
        help="texts, files or seeds, as the model takes ('-' reads one per line); NAME=VALUE where it takes several at "
        "once; or one .npz file of named arrays",
    )
    parser.add_argument(
        "--top-k",
        type=positive,
        metavar="N",
        help="labels per input (default: 1), or passages (default: all); for generated text, sample from this many "
        "most probable tokens",
    )
    parser.add_argument(
        "--output",
        "--out",
        "-o",
        metavar="FILE",
        help="write the output to a file: named arrays as .npz, boxes, masks and pictures as an image (several: to a "
        "folder)",
    )
    add_call_options(parser, grouped=False)
    parser.add_argument("--threads", type=positive, help="threads of the engine (default: as it was measured)")
    add_call_options(parser, grouped=True)
    add_engine(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    from edgewright_runtime.applications.application import is_application

    return applications.run(options) if is_application(options.package) else _run_model(options)


def _run_model(options: argparse.Namespace) -> int:
    from edgewright_runtime import load

    with spoken_warnings():
        model = load(options.package, engine=options.engine, strict=options.strict, threads=options.threads)
    with model:
        pipeline = model.manifest.pipeline
        gives = "labels" if pipeline.output in ("labels", "scored_labels") else f"its {pipeline.output}"
        if pipeline.input == LATENT_INPUT and options.seed is not None:
            # Its seed is what it is given, not how it answers.
            options.inputs, options.seed = [*options.inputs, str(options.seed)], None
        samples = read_samples(options.inputs, pipeline.input)
        check_output(options.output, pipeline.output, len(samples))
        if pipeline.output == "*":
            return _show_arrays(model, model(samples[0][1]), options)
        if model.streams:
            with spoken_warnings():
                return run_generator(model, samples, options)
        given = _call_options(model, options, gives)
        answers = []
        answered = []
        with spoken_warnings():
            for name, sample in samples:
                start = time.perf_counter()
                answer = model(sample, top_k=options.top_k, **given)
                seconds = time.perf_counter() - start
                answers.append({"input": name, pipeline.output: plain(pipeline.output, answer), "seconds": seconds})
                answered.append((name, sample, answer))
    if options.output:
        write_drawings(options.output, pipeline.output, answered)
    if options.json:
        engine = {"name": model.engine.name, "provider": model.engine.provider, "reason": model.engine.reason}
        print_json({"engine": engine, "answers": answers})
        return 0
    for name, _, answer in answered:
        front = f"{name}  ->  " if len(answers) > 1 else ""
        for line in answer_lines(pipeline.output, answer):
            print(f"{front}{line}")
    if not options.quiet:
        print(f"[{model.engine.name}, {model.engine.provider}, {model.engine.threads} threads]", file=sys.stderr)
    return 0


def _call_options(model: Model, options: argparse.Namespace, gives: str) -> dict[str, object]:
    asked = asked_options(options)
    for name in asked:
        if name not in model.options:
            others = CALL_OPTIONS[name].group.models
            raise InputError(f"--{name.replace('_', '-')} is for models that {others}; this one gives {gives}.")
    return asked


def _show_arrays(model: Model, outputs: dict[str, Any], options: argparse.Namespace) -> int:
    import numpy as np

    if options.output:
        write_file(options.output, lambda path: _save(path, outputs))
    facts: dict[str, Any] = {
        name: {"shape": list(value.shape), "type": str(value.dtype)} for name, value in outputs.items()
    }
    if options.json:
        if not options.output:
            facts = {name: {**facts[name], "values": outputs[name].tolist()} for name in outputs}
        print_json({"engine": {"name": model.engine.name, "provider": model.engine.provider}, "outputs": facts})
        return 0
    for name, value in outputs.items():
        shown = np.array2string(value, threshold=20, edgeitems=3, precision=4)
        print(f"{name}  {facts[name]['type']} {facts[name]['shape']}\n{shown}")
    return 0


def _save(path: Path, arrays: dict[str, Any]) -> None:
    import numpy as np

    # A file object, because numpy adds .npz to names without it.
    with path.open("wb") as file:
        np.savez(file, **arrays)
