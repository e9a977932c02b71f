"""Starts the fuzz test by hand: `python tests/fuzz/run.py --cases 20000 --seed 7 --jobs 2 --work build/fuzz`."""

import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    sys.path[:1] = [str(_TESTS), str(_TESTS.parent / "benchmarks" / "sources")]
    from fuzz.command import main

    sys.exit(main())
