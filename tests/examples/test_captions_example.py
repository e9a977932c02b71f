"""The example of captions, shortened: pictures of two things, and a captioner trained for a few epochs."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgewright_compiler.sources import SourceOptions, open_source
from scripts import run_script

SCRIPT = Path(__file__).parents[2] / "examples" / "captions" / "train.py"
pytestmark = pytest.mark.slow
COLOURS = {"red": (214, 40, 40), "green": (60, 160, 70), "blue": (40, 90, 200)}
THINGS = {"a box": (20, 20, 44, 44), "a pole": (28, 4, 36, 60)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables as the data script of the CLIP example writes them; a test of that example runs the script."""
    folder = tmp_path_factory.mktemp("captions")
    random = np.random.default_rng(5)
    for split, copies in (("train", 16), ("validation", 1), ("test", 1)):
        rows = []
        for thing, box in THINGS.items():
            for colour, ground in COLOURS.items():
                for copy in range(copies):
                    picture = Image.new("RGB", (64, 64), tuple(int(value + random.integers(-9, 9)) for value in ground))
                    picture.paste((230, 230, 20), box)
                    name = f"{split}-{thing[2:]}-{colour}-{copy}.png"
                    picture.save(folder / name)
                    rows.append((name, f"{thing} on a {colour} ground", thing))
        with (folder / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("image", "text", "label"), *rows])
    return folder


def train(*arguments: object) -> str:
    return run_script(SCRIPT, *arguments).stdout


def test_a_captioner_learns_and_its_checkpoint_says_the_same(pictures: Path, tmp_path: Path) -> None:
    arguments = ("--data", pictures, "--out", tmp_path / "captioner", "--batch", 16, "--epochs", 12, "--patience", 2)
    printed = train(*arguments)
    epochs = re.findall(r"epoch \d+: loss ([\d.]+), validation captions right ([\d.]+)", printed)
    found = re.search(r"test: caption right ([\d.]+), thing right ([\d.]+), ground right ([\d.]+)", printed)
    assert found is not None, printed
    # Two things on three grounds: by chance one in six.
    assert float(found[1]) >= 0.5, printed
    assert float(epochs[-1][0]) < float(epochs[0][0]) / 2
    # It stopped when it was no longer better, and kept what was best.
    rights = [float(right) for _, right in epochs]
    assert len(rights) == min(12, rights.index(max(rights)) + 3)
    assert [path.name for path in tmp_path.iterdir()] == ["captioner"]

    source = open_source(str(tmp_path / "captioner"), SourceOptions())
    assert source.task == "image-to-text"
