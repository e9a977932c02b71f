"""Result files that are none, or that no memory and patience are for."""

import os
from pathlib import Path

import pytest

from edgewright_benchmarks.result import read_result
from edgewright_targets import InputError


def test_a_file_larger_than_any_result_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.touch()
    os.truncate(path, 2**35)
    with pytest.raises(InputError, match=r"result.json' has 34,359,738,368 bytes; a result has at most 33,554,432"):
        read_result(path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\0"])
def test_what_is_no_json_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as a result"):
        read_result(tmp_path / "result.json")
