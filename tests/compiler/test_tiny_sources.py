"""The tiny models that tests start from are the same in every process: a failure comes again."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

_WRITE = """
import sys
from pathlib import Path
import tiny_models, tiny_pairs, tiny_speech, tiny_writers
folder = Path(sys.argv[1])
tiny_models.write_checkpoint(folder / "text")
tiny_models.write_causal(folder / "causal")
tiny_pairs.write_dual(folder / "pairs")
tiny_speech.write_whisper(folder / "whisper")
tiny_speech.write_speech2text(folder / "speech2text")
tiny_writers.write_writer(folder / "writer", "MarianMTModel")
"""
_SOURCES = Path(__file__).resolve().parents[2] / "benchmarks" / "sources"


@pytest.mark.slow
def test_tiny_models_are_the_same_in_every_process(tmp_path: Path) -> None:
    first, second = (_digests(tmp_path / name) for name in ("first", "second"))
    assert len(first) > 20
    assert [name for name in first if first[name] != second[name]] == []


def _digests(folder: Path) -> dict[str, str]:
    done = subprocess.run([sys.executable, "-c", _WRITE, folder], capture_output=True, text=True, cwd=_SOURCES)
    assert done.returncode == 0, done.stderr
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
