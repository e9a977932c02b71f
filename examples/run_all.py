"""Run the examples: every command that their pages show, from the data to the figures of the package.

The first block of commands in an example's README.md is what runs, from the folder of the repository, so a page cannot
say anything else than what works. What an example has made already is not made again.

Example:
    python examples/run_all.py
    python examples/run_all.py gpt fashion
"""

import argparse
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# In this order: the data of one can serve the next.
EXAMPLES = (
    "intents",
    "gpt",
    "slots",
    "fashion",
    "speech",
    "whisper",
    "clip",
    "captions",
    "detector",
    "masks",
    "motions",
    "translation",
    "cascade",
    "customer_service",
)
# Installing is a matter of whoever runs this.
_INSTALLS = ("pip", "apt-get")


def commands(page: str) -> list[list[str]]:
    r"""The commands in the first block of a page, in words; comments and installations left out.

    >>> commands("```sh\npip install x\npython a.py --out b   # so\n```")
    [['python', 'a.py', '--out', 'b']]
    """
    block = re.search(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = block[1].replace("\\\n", " ").splitlines() if block else []
    found = (shlex.split(line, comments=True) for line in lines)
    return [words for words in found if words and words[0] not in _INSTALLS]


def run(example: str) -> str:
    """Run the commands of an example; gives the one that failed, or nothing."""
    for words in commands((HERE / example / "README.md").read_text(encoding="utf-8")):
        print(f"\n$ {shlex.join(words)}", flush=True)
        program = sys.executable if words[0] == "python" else str(Path(sys.executable).with_name(words[0]))
        if subprocess.run([program, *words[1:]], cwd=HERE.parent, check=False).returncode:
            return shlex.join(words)
    return ""


def main() -> int:
    """Run what was asked for, one after the other, and say how it went; the exit code is 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", nargs="*", metavar="NAME", help=f"which (default: all of {', '.join(EXAMPLES)})")
    asked = parser.parse_args().examples
    unknown = [name for name in asked if name not in EXAMPLES]
    if unknown:
        parser.error(f"there is no example {', '.join(unknown)}; there are: {', '.join(EXAMPLES)}")
    times = []
    for name in asked or EXAMPLES:
        print(f"\n=== {name}", flush=True)
        start = time.monotonic()
        failed = run(name)
        times.append((f"{name}: {(time.monotonic() - start) / 60:.1f} minutes", failed))
    print()
    for line, failed in times:
        print(f"{line}{f', failed at: {failed}' if failed else ''}")
    return int(any(failed for _, failed in times))


if __name__ == "__main__":
    sys.exit(main())
