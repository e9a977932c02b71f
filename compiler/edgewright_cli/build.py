"""`edgewright build`: from a trained model to a package."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_cli.console import bold, megabytes, print_json, progress, say_warning, spoken_warnings, wrapped
from edgewright_cli.options import add_meter, add_samples, meter_settings, positive, share
from edgewright_runtime import Package
from edgewright_runtime.errors import AudioWarning
from edgewright_runtime.selftest import stored_samples
from edgewright_targets.installed import check_installed, needs

if TYPE_CHECKING:
    from edgewright_benchmarks.result import Result

EPILOG = """\
example:
  edgewright build checkpoints/intents --target host --calibration train.csv \\
      --evaluation validation.csv --max-drop 1% -o intents.ortpackage

The engine that ships is the fastest that is shown to be no slower than the float
baseline and to lose at most --max-drop. If there is none, the float baseline ships.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "source",
        help="Hugging Face checkpoint folder, .onnx file, .toml file that declares a model of several graphs, or "
        "package.module:function (a torch module)",
    )
    parser.add_argument("-o", "--output", required=True, metavar="PACKAGE", help="package folder to write")
    parser.add_argument(
        "--target",
        action="append",
        metavar="TARGET",
        help="target name or target file, once for each target (default: host, this machine)",
    )
    parser.add_argument("--calibration", metavar="DATA", help="data for the ranges of int8 engines (.csv or .npz)")
    parser.add_argument("--evaluation", metavar="DATA", help="labelled data that the engine is chosen on")
    parser.add_argument(
        "--max-drop", type=share, default=0.01, metavar="SHARE", help="largest accuracy drop allowed (default: 1%%)"
    )
    parser.add_argument(
        "--accept-baseline",
        action="store_true",
        help="continue even if the float model itself fails on the evaluation data (as an untrained model does)",
    )
    parser.add_argument("--task", help="task of the model, instead of the one found in the source")
    parser.add_argument("--labels", metavar="FILE", help="class names, one per line, for a source without them")
    parser.add_argument("--archive", action="store_true", help="also write the package as one file, PACKAGE.tar")
    parser.add_argument(
        "--emulated-samples",
        type=positive,
        default=400,
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
        "--no-golden-samples",
        dest="golden_samples",
        action="store_false",
        help="put no samples in the package; 'verify' then has nothing to compare",
    )
    add_samples(parser)
    add_meter(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    with needs("compiler"):
        # What comes last is asked for first: a missing library must not be found after minutes of work.
        check_installed("filelock", "onnx", "onnx_ir", "scipy", "sklearn")
        from edgewright_benchmarks.data import DataWarning
        from edgewright_compiler.building.build import build
        from edgewright_compiler.building.job import BuildOptions

    # Ours alone: what the frameworks say to their own developers is not for this person.
    with spoken_warnings(AudioWarning) as shown, spoken_warnings(DataWarning):
        built = build(
            options.source,
            BuildOptions(
                output=options.output,
                targets=tuple(options.target or ["host"]),
                calibration=options.calibration,
                evaluation=options.evaluation,
                max_drop=options.max_drop,
                task=options.task,
                labels=options.labels,
                archive=options.archive,
                emulated_samples=options.emulated_samples,
                golden=options.golden,
                golden_samples=options.golden_samples,
                accept_baseline=options.accept_baseline,
                meter=meter_settings(options),
            ),
            progress=progress(options),
        )
    golden = stored_samples(Package.open(built.package))
    size = sum(path.stat().st_size for path in built.package.rglob("*") if path.is_file())
    if options.json:
        print_json(
            {
                "package": str(built.package),
                "archive": str(built.archive) if built.archive else None,
                "unchanged": built.unchanged,
                "bytes": size,
                "golden_samples": len(golden),
                "targets": [_outcome(result) for result in built.results],
            }
        )
        return 0
    for result in built.results:
        if not options.quiet:
            from edgewright_cli.summary import result_text

            for warning in result.warnings:
                # Of samples it may be said again, with their number; of several targets the same.
                if not any(warning.endswith(one) for one in shown):
                    say_warning(warning)
                    shown.add(warning)
            print(result_text(result))
            print()
        print(wrapped(result.reason))
        print()
    if golden and not options.quiet:
        others = "" if options.golden else "; --golden DATA replaces them, --no-golden-samples leaves them out"
        stored_from = Path(options.golden).name if options.golden else built.results[0].data.name
        print(
            wrapped(f"The package holds {len(golden)} samples of {stored_from}. Whoever gets it can read them{others}.")
        )
        print()
    print(f"{bold(str(built.package))}  {megabytes(size)}")
    if built.archive:
        print(f"{bold(str(built.archive))}  {megabytes(built.archive.stat().st_size)}")
    return 0


def _outcome(result: Result) -> dict[str, object]:
    return {
        "target": result.engine(result.chosen).target,
        "chosen": result.chosen,
        "reason": result.reason,
        "measure": result.measure,
        "engines": [
            {"name": e.name, "status": e.status, "rung": e.rung, "reasons": list(e.reasons)} for e in result.engines
        ],
        "warnings": list(result.warnings),
    }
