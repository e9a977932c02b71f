"""Bar: every family goes the whole way; its package runs without torch, and in float it answers as its source.

Each row is built for this machine in float. Its package is run in a process that has the runtime alone: torch,
transformers and the compiler cannot be imported there. What its graphs give is compared with what the source gives, and
its answers with those of the source's own library: labels, boxes, tokens, transcripts. A row whose source cannot be
fetched is not run, and that is what the table says.

    python benchmarks/bars/all_families.py
    python benchmarks/bars/all_families.py --only gpt2 --only vit
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sources"))

import _chinese_rows
import _detector_rows
import _document_rows
import _head_rows
import _image_rows
import _other_rows
import _place_rows
import _series_rows
import _speech_rows
import _table_rows
import _text_rows
import _vector_rows
import with_torchvision
from _row import Outcome, Row, nothing_compared, run_row
from edgewright_benchmarks.versions import installed_versions
from edgewright_cli.console import print_json, table
from fetched import CannotFetchError

ROWS: tuple[Row, ...] = (
    *_text_rows.ROWS,
    *_head_rows.ROWS,
    *_chinese_rows.ROWS,
    *_image_rows.ROWS,
    *_detector_rows.ROWS,
    *_place_rows.ROWS,
    *_speech_rows.ROWS,
    *_other_rows.ROWS,
    *_table_rows.ROWS,
    *_series_rows.ROWS,
    *_document_rows.ROWS,
    *_vector_rows.ROWS,
)
_TOOLS = ("torch", "transformers", "onnxruntime", "numpy")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 where no row fails, 1 where one does, 2 for wrong use."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [row.name for row in ROWS]
    parser.add_argument(
        "--only", action="append", metavar="ROW", choices=names, help="a row, once for each (see --list)"
    )
    parser.add_argument("--list", action="store_true", help="print the names of the rows, and from what source each is")
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON")
    options = parser.parse_args(arguments)
    chosen = [row for row in ROWS if not options.only or row.name in options.only]
    if options.list:
        print(table(("row", "task", "source"), [(row.name, row.task, row.weights) for row in chosen]))
        return 0
    outcomes = []
    for row in chosen:
        outcomes.append(_run(row))
        print(f"{row.name}: {outcomes[-1].verdict} {outcomes[-1].note}", file=sys.stderr, flush=True)
    if options.json:
        print_json({"rows": [asdict(one) for one in outcomes], "tools": installed_versions(_TOOLS)})
    else:
        print(_as_table(outcomes))
    return int(any(one.verdict == "FAIL" for one in outcomes))


def _run(row: Row) -> Outcome:
    with tempfile.TemporaryDirectory(prefix=f"{row.name}-") as scratch:
        folder = Path(scratch)
        try:
            if row.torchvision and with_torchvision.FOLDER not in os.environ:
                return _beside_torchvision(row, folder)
            return run_row(row, folder)
        except CannotFetchError as error:
            return nothing_compared(row, "not run", str(error))
        except Exception as error:  # noqa: BLE001 - a row that breaks is a row that fails; the others are run
            traceback.print_exc()
            return nothing_compared(row, "FAIL", f"{type(error).__name__}: {error}")


def _beside_torchvision(row: Row, folder: Path) -> Outcome:
    if reason := with_torchvision.fetch(folder):
        raise CannotFetchError(reason)
    environment = with_torchvision.environment(folder)
    command = [sys.executable, str(Path(__file__).resolve()), "--only", row.name, "--json"]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, env=environment)
    (found,) = json.loads(done.stdout)["rows"]
    return Outcome(**found)


def _as_table(outcomes: Sequence[Outcome]) -> str:
    header = ("row", "task", "source", "compared", "largest difference", "metric", "verdict", "note")
    rows = [
        (
            one.name,
            one.task,
            one.weights,
            one.compared,
            "" if one.largest is None else f"{one.largest:.1e}",
            one.metric,
            one.verdict,
            one.note,
        )
        for one in outcomes
    ]
    return table(header, rows, right=(4,))


if __name__ == "__main__":
    sys.exit(main())
