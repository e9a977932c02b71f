"""The main job on real input: data, training, build, answers, bench, report. Run it with `make demo`.

Every step is a command that can be run by hand, and is printed before it runs. What is up to date is not done again.
"""

import shlex
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEMO = Path("demo")
DATA = DEMO / "data"
CHECKPOINT = DEMO / "checkpoints" / "intents"
PACKAGE = DEMO / "intents.ortpackage"
REPORT = DEMO / "report.html"
RAW = DEMO / "bench.json"
SENTENCES = ("turn on the kitchen lights", "set a timer for ten minutes", "is the garage door open")
EDGEWRIGHT = Path(sys.executable).with_name("edgewright")


def step(title: str, *command: object) -> None:
    """Print a command and run it; a failure ends the demo with its exit code."""
    words = [str(word) for word in command]
    shown = [Path(words[0]).name, *words[1:]]
    print(f"\n== {title}\n$ {shlex.join(shown)}", flush=True)
    start = time.monotonic()
    code = subprocess.run(words, check=False).returncode
    if code:
        sys.exit(code)
    print(f"-- {time.monotonic() - start:.0f} s", flush=True)


def main() -> None:
    """All steps, in order."""
    DEMO.mkdir(exist_ok=True)
    step("Make labelled sentences", sys.executable, HERE / "make_data.py", "--out", DATA)
    step(
        "Fine-tune a small BERT on them", sys.executable, HERE / "train.py", "--data", DATA, "--out", CHECKPOINT
    )  # fmt: skip
    step(
        "Build the package: the fastest engine that keeps the accuracy",
        EDGEWRIGHT, "build", CHECKPOINT, "--target", "host", "--calibration", DATA / "train.csv",
        "--evaluation", DATA / "validation.csv", "--max-drop", "1%", "-o", PACKAGE,
    )  # fmt: skip
    step("Ask it", EDGEWRIGHT, "run", PACKAGE, *SENTENCES)
    step("Check that it is whole and answers as it did", EDGEWRIGHT, "verify", PACKAGE)
    if up_to_date(REPORT, PACKAGE / "SHA256SUMS", DATA / "test.csv"):
        print(f"\n== {REPORT} is up to date (remove it to measure again).")
    else:
        step(
            "Measure it on sentences that the choice never saw, and write the report",
            EDGEWRIGHT, "bench", PACKAGE, "--data", DATA / "test.csv", "--report", REPORT, "--output", RAW,
        )  # fmt: skip
    print(f"\nThe report: {REPORT.resolve().as_uri()}")


def up_to_date(made: Path, *sources: Path) -> bool:
    """Whether `made` is there and newer than all it was made from."""
    return made.exists() and all(made.stat().st_mtime > source.stat().st_mtime for source in sources)


if __name__ == "__main__":
    main()
