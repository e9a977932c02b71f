"""Bar: one package for every target, against a package for each; and what one more target costs.

    python benchmarks/bars/all_targets.py demo/checkpoints/intents --calibration demo/data/train.csv \\
        --evaluation demo/data/validation.csv --emulated-samples 200

The package grows by one target at a time, so that the time of each is known; the last build must do nothing again for
the others. Then each target is built alone, from the same cache, and the sizes of these packages are added up. A line
is one target: the best rung of its engines, what ships, the most it may lose in percentage points, and the minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from edgewright_benchmarks.progress import Terminal
from edgewright_benchmarks.report.words import points_bound
from edgewright_benchmarks.result import Result
from edgewright_cli.console import print_json, say_error, table
from edgewright_compiler import BuildOptions, build
from edgewright_compiler.cache import StageCache
from edgewright_runtime.package_files import folder_bytes
from edgewright_targets import HOST, RUNGS, EdgewrightError, InputError, host_target_name, target_names

# What every target has in common: done once, whatever is added.
_COMMON = ("export", "check")


def _stages(cache: StageCache) -> set[tuple[str, str]]:
    return {(entry.stage, entry.key) for entry in cache.entries()}


def _line(result: Result, seconds: float | None) -> dict[str, Any]:
    (shipped,) = (engine for engine in result.engines if engine.name == result.chosen)
    rungs = {engine.rung for engine in result.engines if engine.status != "failed"}
    drop = shipped.accuracy.drop.high if shipped.accuracy else None
    return {
        "target": shipped.target,
        "rung": next(rung for rung in RUNGS if rung in rungs),
        "ships": shipped.name.removeprefix(f"{shipped.target}-"),
        "status": shipped.status,
        "lost_at_most": drop if shipped.status == "accepted" else None,
        "samples": result.data.samples,
        "seconds": seconds,
    }


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Build everything in `folder` and compare."""
    cache = StageCache(folder / "cache")

    def made(name: str, targets: Sequence[str]) -> tuple[tuple[Result, ...], int, float]:
        start = time.perf_counter()
        built = build(
            options.source,
            BuildOptions(
                output=folder / name,
                targets=tuple(targets),
                calibration=options.calibration,
                evaluation=options.evaluation,
                max_drop=options.max_drop,
                emulated_samples=options.emulated_samples,
            ),
            cache=cache,
            progress=Terminal(),
        )
        return built.results, folder_bytes(built.package), time.perf_counter() - start

    targets: list[str] = options.target
    seconds: dict[str, float] = {}
    for number in range(1, len(targets)):
        _, _, spent = made("growing", targets[:number])
        seconds[targets[number - 1]] = spent
    before = _stages(cache)
    results, together, spent = made("all", targets)
    seconds[targets[-1]] = spent
    added = Counter(stage for stage, _ in _stages(cache) - before)
    apart = sum(made(f"only-{target}", [target])[1] for target in targets)
    return {
        "lines": [_line(result, seconds[name]) for name, result in zip(targets, results, strict=True)],
        "package_bytes": together,
        "separate_packages_bytes": apart,
        "stages_of_the_added_target": dict(added),
        "nothing_done_again": not any(added[stage] for stage in _COMMON) and added["measure"] <= 1,
    }


def _targets(asked: list[str] | None) -> list[str]:
    if asked:
        if len(asked) < 2:
            raise InputError("One target is not a comparison; name two or more, or none for all of them.")
        return asked
    here = host_target_name()
    return [HOST, *(name for name in target_names() if name != here)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source")
    parser.add_argument("--calibration", required=True)
    parser.add_argument("--evaluation", required=True)
    parser.add_argument("--target", action="append", help="a target; repeat it (default: host, and all that there are)")
    parser.add_argument("--max-drop", type=float, default=0.01, help="as a share (default: %(default)s)")
    parser.add_argument("--emulated-samples", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="keep the cache and the packages here")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        options.target = _targets(options.target)
        with TemporaryDirectory() as scratch:
            found = measure(options, options.folder or Path(scratch))
    except EdgewrightError as error:
        say_error(error)
        return error.exit_code
    if options.json:
        print_json(found)
        return 0 if found["nothing_done_again"] else 1
    rows = [
        (
            line["target"],
            line["rung"],
            line["ships"],
            "" if line["lost_at_most"] is None else points_bound(line["lost_at_most"]),
            line["status"],
            f"{line['samples']:,}",
            f"{line['seconds'] / 60:.1f}",
        )
        for line in found["lines"]
    ]
    print(table(("target", "rung", "ships", "lost at most", "status", "samples", "minutes"), rows, right=(3, 5, 6)))
    ratio = found["package_bytes"] / found["separate_packages_bytes"]
    print(
        f"One package: {found['package_bytes'] / 1e6:,.0f} MB. A package for each: "
        f"{found['separate_packages_bytes'] / 1e6:,.0f} MB. Ratio: {ratio:.2f}."
    )
    stages = ", ".join(f"{count} {stage}" for stage, count in sorted(found["stages_of_the_added_target"].items()))
    again = "nothing was done again" if found["nothing_done_again"] else "stages of other targets were done again"
    print(f"The last target added these stages: {stages or 'none'}; {again}.")
    return 0 if found["nothing_done_again"] else 1


if __name__ == "__main__":
    sys.exit(main())
