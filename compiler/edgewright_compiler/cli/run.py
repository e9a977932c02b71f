"""`edgewright run`: answer inputs with a package."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.cli.console import print_json, spoken_warnings
from edgewright_compiler.cli.files import check_writable, write_file
from edgewright_compiler.cli.options import add_engine, positive
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime import Model

EPILOG = """\
example:
  edgewright run intents.ortpackage "turn on the kitchen lights"
  edgewright run intents.ortpackage - --json < sentences.txt
  edgewright run digits.ortpackage input.npz --output answer.npz
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("package", help="package folder or archive")
    parser.add_argument("inputs", nargs="+", help="texts ('-' reads one a line), or one .npz file of named arrays")
    parser.add_argument("--top-k", type=positive, default=1, help="labels to give for each input (default: 1)")
    parser.add_argument("--output", "-o", metavar="FILE", help="for named arrays: the .npz file to write")
    parser.add_argument("--threads", type=positive, help="threads of the engine (default: as it was measured)")
    add_engine(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    from edgewright_runtime import load

    check_writable(options.output)
    with spoken_warnings():
        model = load(options.package, engine=options.engine, strict=options.strict, threads=options.threads)
    with model:
        if model.manifest.pipeline.input == "*":
            return _run_arrays(model, options)
        if options.output:
            raise InputError("--output is for models that give named arrays; this one gives labels (see --json).")
        texts = _texts(options.inputs)
        answers = []
        for text in texts:
            start = time.perf_counter()
            labels = model(text, top_k=options.top_k)
            answers.append({"input": text, "labels": labels, "seconds": time.perf_counter() - start})
    if options.json:
        engine = {"name": model.engine.name, "provider": model.engine.provider, "reason": model.engine.reason}
        print_json({"engine": engine, "answers": answers})
        return 0
    for answer in answers:
        for entry in answer["labels"]:
            front = f"{answer['input']}  ->  " if len(answers) > 1 else ""
            print(f"{front}{entry['label']}  {entry['score']:.4f}")
    if not options.quiet:
        print(f"[{model.engine.name}, {model.engine.provider}, {model.engine.threads} threads]", file=sys.stderr)
    return 0


def _texts(inputs: list[str]) -> list[str]:
    if inputs != ["-"]:
        return inputs
    try:
        # Bytes, because the locale decides how Python reads text; None where standard input is closed.
        data = sys.stdin.buffer.read() if sys.stdin is not None else b""
        lines = [line.rstrip("\r") for line in data.decode("utf-8-sig").split("\n") if line.strip()]
    except UnicodeDecodeError as error:
        raise InputError(f"Standard input is not UTF-8: byte {error.start} cannot be decoded.") from error
    if not lines:
        raise InputError("Standard input has no text.", hint="Give one text a line, for example: < sentences.txt")
    return lines


def _run_arrays(model: Model, options: argparse.Namespace) -> int:
    import numpy as np

    if len(options.inputs) != 1:
        raise InputError(f"This model takes one .npz file of named arrays; given were {len(options.inputs)} inputs.")
    path = Path(options.inputs[0])
    feeds = _read_arrays(path)
    outputs = model(feeds)
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


def _read_arrays(path: Path) -> dict[str, Any]:
    from edgewright_runtime.arrays import read_arrays

    if path.suffix != ".npz" or not path.is_file():
        raise InputError(
            f"This model takes named arrays: an .npz file; '{path}' is none.",
            hint="Make one with numpy.savez('input.npz', name=array, ...).",
        )
    return dict(read_arrays(path))
