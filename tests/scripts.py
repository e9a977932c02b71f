"""Scripts of the examples, run as a user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run_script(script: Path, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a script on one thread; it must end with `code`. Warnings of libraries are not shown."""
    command = [sys.executable, "-W", "ignore", str(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == code, done.stderr
    return done
