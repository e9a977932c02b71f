"""`edgewright init`: a build file for a source, with comments, from what is found."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgewright_cli.console import bold, print_json, progress, say_warning, wrapped
from edgewright_cli.files import check_writable, write_file
from edgewright_targets import InputError
from edgewright_targets.installed import check_installed, needs
from edgewright_targets.record import write_record

EPILOG = """\
example:
  edgewright init checkpoints/intents     # writes edgewright.toml
  edgewright build                        # builds what it says
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("source", help="what 'edgewright build' takes: a checkpoint folder, an .onnx file, ...")
    parser.add_argument(
        "-o",
        "--output",
        default="edgewright.toml",
        metavar="FILE",
        help="build file to write (default: edgewright.toml)",
    )
    parser.add_argument("--task", help="task of the model, instead of the one found in the source")
    parser.add_argument("--labels", metavar="FILE", help="class names, one per line, for a source without them")
    parser.add_argument("--fetch", action="store_true", help="fetch a model of the Hugging Face hub")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    with needs("compiler"):
        check_installed("onnx", "onnx_ir", "scipy", "sklearn")
        from edgewright_compiler.build_files.look_around import look_around
        from edgewright_compiler.build_files.write import build_file_text

    path = Path(options.output)
    if path.suffix != ".toml":
        raise InputError(f"'{path}': the name of a build file ends in .toml.")
    if path.exists() and not options.force:
        raise InputError(f"'{path}' is there already.", hint="Pass --force to write over it, or another name with -o.")
    check_writable(options.output)
    found = look_around(
        options.source,
        path.parent,
        task=options.task,
        labels=options.labels,
        fetch=options.fetch,
        progress=progress(options),
    )
    text = build_file_text(found)
    write_file(options.output, lambda aside: aside.write_text(text, encoding="utf-8"))
    if options.json:
        print_json({"file": str(path), **write_record(found)})
        return 0
    for purpose, data in found.data.items():
        if data.problem:
            say_warning(f"'{data.path}' is not taken as data for {purpose}: {data.problem}")
    if not options.quiet:
        print(wrapped(_sentence(found.name, found.task, found.labels, {p: d.path for p, d in found.data.items()})))
    where = "" if path == Path("edgewright.toml") else f" --file {path}"
    print(f"Written: {bold(str(path))}. Build it: edgewright build{where}")
    return 0


def _sentence(name: str, task: str, labels: int, data: dict[str, str]) -> str:
    classes = f" with {labels:,} classes" if labels else ""
    listed = ", ".join(f"{path} ({purpose})" for purpose, path in data.items())
    return f"{name}: {task}{classes}. Data found: {listed or 'none'}."
