"""`edgewright build`: from a trained model to a package."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgewright_cli import applications
from edgewright_cli.built import build_facts, build_several, run_build, show_build
from edgewright_cli.console import print_json, progress
from edgewright_cli.options import add_confidence, add_meter, add_own, add_samples, memory_size, positive, share
from edgewright_targets import InputError
from edgewright_targets.installed import check_installed, needs

EPILOG = """\
example:
  edgewright build checkpoints/intents --target host --calibration train.csv \\
      --evaluation validation.csv --max-drop 1% -o intents.ortpackage

  edgewright init checkpoints/intents     # writes edgewright.toml
  edgewright build                        # builds what edgewright.toml says

The engine that ships is the fastest that is shown to be no slower than the float
baseline and to lose at most --max-drop. If there is none, the float baseline ships.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "source",
        nargs="?",
        help="Hugging Face checkpoint folder, or its id on the hub (organization/name or organization/name@revision), "
        ".onnx file, .toml file that declares a model of several graphs or an application of several models, or "
        "package.module:function (a torch module); without it, what the build file says",
    )
    parser.add_argument(
        "--fetch",
        action=argparse.BooleanOptionalAction,
        help="fetch the model from the Hugging Face hub into the local cache; without it nothing is downloaded",
    )
    parser.add_argument("-o", "--output", metavar="PACKAGE", help="package folder to write")
    parser.add_argument(
        "-f",
        "--file",
        metavar="FILE",
        help="build file; options win over it (default without a source: edgewright.toml)",
    )
    parser.add_argument("--only", metavar="NAME", help="of a build file with several models, this one alone")
    parser.add_argument(
        "--target",
        action="append",
        metavar="TARGET",
        help="target name or target file, once for each target (default: host, this machine)",
    )
    parser.add_argument("--calibration", metavar="DATA", help="data for the ranges of int8 engines (.csv or .npz)")
    parser.add_argument("--evaluation", metavar="DATA", help="labelled data that the engine is chosen on")
    parser.add_argument("--max-drop", type=share, metavar="SHARE", help="largest accuracy drop allowed (default: 1%%)")
    add_confidence(parser)
    words = "of an application: memory of its process, such as 400MB; models that were not used longest are let go"
    parser.add_argument("--max-memory", type=memory_size, metavar="SIZE", help=words)
    parser.add_argument(
        "--accept-baseline",
        action=argparse.BooleanOptionalAction,
        help="continue even if the float model itself fails on the evaluation data (as an untrained model does)",
    )
    parser.add_argument(
        "--search",
        metavar="TIME|N",
        help="search for faster engines: so long beyond a plain build (90s, 10m, 1h), or so many engines (40)",
    )
    parser.add_argument("--task", help="task of the model, instead of the one found in the source")
    parser.add_argument("--labels", metavar="FILE", help="class names, one per line, for a source without them")
    parser.add_argument(
        "--archive", action=argparse.BooleanOptionalAction, help="also write the package as one file, PACKAGE.tar"
    )
    parser.add_argument(
        "--emulated-samples",
        type=positive,
        metavar="N",
        help="most samples to run in an emulator, for targets other than this machine (default: 400)",
    )
    golden = parser.add_mutually_exclusive_group()
    golden.add_argument(
        "--golden",
        metavar="DATA",
        help="golden samples for 'verify' and 'finish': they travel in the package, where everyone can read them, "
        "instead of the first samples of your data",
    )
    golden.add_argument(
        "--golden-samples",
        action=argparse.BooleanOptionalAction,
        help="put samples in the package (default); without any 'verify' has nothing to compare",
    )
    add_own(parser)
    add_samples(parser)
    add_meter(parser)
    # What nobody says is left to the build file, and then to the defaults of `BuildOptions`.
    parser.set_defaults(rounds=None, loads=None)


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    with needs("compiler"):
        # What comes last is asked for first: a missing library must not be found after minutes of work.
        check_installed("filelock", "onnx", "onnx_ir", "scipy", "sklearn")
        from edgewright_compiler.applications import declares_application
        from edgewright_compiler.build_files.plan import plan_builds

    if options.file is None and declares_application(options.source):
        given = _given(options)
        if options.max_memory is not None:
            given["budget.max_memory"] = options.max_memory
        return applications.build(options, given, _options_by_name())
    if options.max_memory is not None:
        raise InputError(
            "--max-memory is for an application of several models.",
            hint="Evidence has the peak memory of each engine: 'edgewright inspect PACKAGE' shows it.",
        )
    plans = plan_builds(_file(options), _given(options), only=options.only)
    for note in dict.fromkeys(note for plan in plans for note in plan.notes):
        progress(options).note(note)
    if len(plans) == 1:
        built = run_build(plans[0], options)
        if options.json:
            print_json(build_facts(built))
        else:
            show_build(built, plans[0].options, options)
        return 0
    return build_several(plans, options)


def _file(options: argparse.Namespace) -> str | None:
    """The build file of the call; None where a source is named and no file is."""
    from edgewright_compiler.build_files.form import BUILD_FILE

    if options.file is not None or options.source is not None:
        return None if options.file is None else str(options.file)
    if not Path(BUILD_FILE).exists():
        raise InputError(
            f"No source is named, and there is no {BUILD_FILE} here.",
            hint="Name a source: edgewright build SOURCE -o PACKAGE. Or write a build file: edgewright init SOURCE.",
        )
    return BUILD_FILE


def _options_by_name() -> dict[str, str]:
    from edgewright_compiler.building.setting_kinds import SETTINGS

    return {name: kind.option for name, kind in SETTINGS.items()}


def _given(options: argparse.Namespace) -> dict[str, object]:
    """The settings that the command line says, by their names in a build file."""
    from edgewright_compiler.building.search_bound import search_bound
    from edgewright_compiler.building.setting_kinds import SETTINGS

    arguments = vars(options)
    found = {
        name: arguments[(kind.option or name).lower().lstrip("-").replace("-", "_")]
        for name, kind in SETTINGS.items()
        if kind.option
    }
    given: dict[str, object] = {name: value for name, value in found.items() if value not in (None, "")}
    if options.target:
        given["targets"] = tuple(options.target)
    if options.search is not None:
        given["budget.search"] = search_bound(options.search)
    return given
