"""Result files that are none, or that no memory and patience are for."""

import json
import os
from pathlib import Path

import pytest

from benchmarks.report_fixtures import build_result
from edgewright_benchmarks.result_files import read_result, write_result
from edgewright_targets import InputError


def test_a_file_larger_than_any_result_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.touch()
    os.truncate(path, 2**35)
    with pytest.raises(
        InputError, match=r"result.json' has 34,359,738,368 bytes; the limit for a result is 33,554,432"
    ):
        read_result(path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\0"])
def test_what_is_no_json_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as a result"):
        read_result(tmp_path / "result.json")


def test_a_result_has_judged_engines_only(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_result(build_result(), path)
    data = json.loads(path.read_text(encoding="utf-8"))
    data["engines"][1]["status"] = "unjudged"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(InputError, match=f"engines that were not judged: {data['engines'][1]['name']}"):
        read_result(path)
