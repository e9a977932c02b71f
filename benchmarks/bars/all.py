"""All performance bars, one table: each a ratio of two sides measured in one run, in turns.

python benchmarks/bars/all.py --package demo/intents.ortpackage
"""

from __future__ import annotations

import sys

import application_overhead
import call_overhead
import chosen_engine
import import_time
import load_time
import refusal_time
import run_memory
import whisper
from _bars import main

BARS = (
    chosen_engine,
    call_overhead,
    application_overhead,
    import_time,
    load_time,
    refusal_time,
    run_memory,
    whisper,
)

if __name__ == "__main__":
    sys.exit(main(__doc__, [bar.measure for bar in BARS], whisper.add_arguments))
