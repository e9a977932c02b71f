"""The suite: sixteen models with their data and budgets. The examples' rows are the commands of their pages.

What `edgewright build` is given stands on the page of an example; the rows that no example has stand below. All paths
are below the folder of the repository, in `demo`, which git does not know.
"""

from __future__ import annotations

import importlib
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "benchmarks" / "sources"
sys.path.insert(0, str(ROOT / "examples"))
commands: Callable[[str], list[list[str]]] = importlib.import_module("run_all").commands

TRAINED = "trained by the example"
# Rows of a head on a backbone of random weights: how good they are says nothing of the architecture.
RANDOM = "backbone of random weights, head fitted to real data"


@dataclass(frozen=True, kw_only=True)
class SuiteRow:
    """One model of the suite.

    Attributes:
        name: As `--only` takes it.
        title: The model, for people.
        weights: Where they come from.
        prepare: Commands that make the source and its data, in their order; what is there is not made again.
        build: Words of `edgewright build`, without `-o`.
        samples: How many the engines are compared on.
    """

    name: str
    title: str
    weights: str
    prepare: tuple[tuple[str, ...], ...]
    build: tuple[str, ...]
    samples: int

    def option(self, name: str) -> str | None:
        """What an option of the build says, such as `--evaluation`; None where it is not given."""
        return self.build[self.build.index(name) + 1] if name in self.build else None

    @property
    def max_drop(self) -> float:
        """The budget as a share."""
        return float((self.option("--max-drop") or "1%").removesuffix("%")) / 100

    @property
    def source(self) -> str:
        """The source, as `edgewright build` takes it."""
        return self.build[0]


def _from_page(
    name: str, title: str, example: str, samples: int, *, task: str = "", weights: str = TRAINED
) -> SuiteRow:
    """The row of an example; `task` tells between the builds of a page that has several."""
    shown = commands((ROOT / "examples" / example / "README.md").read_text(encoding="utf-8"))
    builds = [words[2:] for words in shown if words[:2] == ["edgewright", "build"]]
    (words, *_) = [one for one in builds if not task or task in one]
    output = words.index("-o")
    return SuiteRow(
        name=name,
        title=title,
        weights=weights,
        prepare=tuple(tuple(one) for one in shown if one[0] == "python"),
        build=tuple(words[:output] + words[output + 2 :]),
        samples=samples,
    )


def _made(name: str, title: str, weights: str, *, data: str, example: str, build: str, samples: int) -> SuiteRow:
    """The row of a model that `suite_models.py` writes, on the data of an example."""
    shown = commands((ROOT / "examples" / example / "README.md").read_text(encoding="utf-8"))
    makes = next(tuple(one) for one in shown if one[0] == "python" and one[1].endswith("make_data.py"))
    writes = ("python", "benchmarks/sources/suite_models.py", name, "--data", data, "--out", f"demo/suite/{name}")
    return SuiteRow(
        name=name,
        title=title,
        weights=weights,
        prepare=(makes, writes),
        build=tuple(shlex.split(build)),
        samples=samples,
    )


_CLOTHES = "--calibration demo/fashion/train --evaluation demo/fashion/validation"
_LONG = "--calibration demo/suite/bert-base/train.csv --evaluation demo/suite/bert-base/validation.csv"
_LITE0 = "suite_models:lite0 --task image-classification --labels demo/suite/lite0/labels.txt"
_LATENTS = "--calibration demo/suite/faces/calibration.csv --evaluation demo/suite/faces/evaluation.csv"
ROWS: tuple[SuiteRow, ...] = (
    _from_page("intents", "MiniLM, commands", "intents", 1890),
    _from_page("gpt", "GPT, commands", "gpt", 1890),
    _from_page("fashion", "small ResNet, clothes", "fashion", 3000),
    _made(
        "lite0",
        "EfficientNet-lite0, clothes",
        "ImageNet's, head fitted to real data",
        data="demo/fashion",
        example="fashion",
        build=f"{_LITE0} {_CLOTHES} --samples 1000 --max-drop 1%",
        samples=1000,
    ),
    _from_page("clip", "small CLIP, labels", "clip", 348),
    _from_page("pairs", "small CLIP, pairs", "clip", 348, task="image-text-retrieval"),
    _from_page("captioner", "ViT and GPT-2, captions", "captions", 348),
    _from_page("detector", "small YOLO, things", "detector", 1600),
    _from_page("masks", "segmenter, stamps", "masks", 1600),
    _from_page("motions", "small VideoMAE, motions", "motions", 1600),
    _from_page("captions", "small Marian, captions", "translation", 1024),
    _from_page("whisper", "Whisper tiny.en, prompts", "whisper", 160, weights="OpenAI's"),
    _made(
        "faces",
        "DCGAN, faces",
        "of gan-face-generate",
        data="demo/data",
        example="intents",
        build=f"tiny_generators:faces --task unconditional-image-generation {_LATENTS} --max-drop 1%",
        samples=600,
    ),
    _made(
        "bert-base",
        "BERT-base, 128 tokens",
        RANDOM,
        data="demo/data",
        example="intents",
        build=f"demo/suite/bert-base {_LONG} --samples 500 --max-drop 2%",
        samples=500,
    ),
    _made(
        "resnet-50",
        "ResNet-50, clothes",
        RANDOM,
        data="demo/fashion",
        example="fashion",
        build=f"demo/suite/resnet-50 {_CLOTHES} --samples 600 --max-drop 2%",
        samples=600,
    ),
    _made(
        "vit-b16",
        "ViT-B/16, clothes",
        RANDOM,
        data="demo/fashion",
        example="fashion",
        build=f"demo/suite/vit-b16 {_CLOTHES} --samples 400 --max-drop 2%",
        samples=400,
    ),
)
