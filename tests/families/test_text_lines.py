"""Lines of text read by an ONNX file: PP-OCR's real weights against rapidocr's own steps, and a tiny graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import text_lines
from command import QUICK, Command
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.result_files import result_from_json
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_compiler.processors.text_line import LineProcessor
from edgewright_runtime import Model, Package, load
from edgewright_runtime.errors import SampleError
from edgewright_targets import InputError
from fetched import CannotFetchError

_SAID = {"character": "\n".join(text_lines.CHARACTERS)}
# Letters side by side are one; with a stripe between them they are two.
_STRIPES = ("r-g-b", "rr-r gb", "b g r", "gg-g---b-r-gb-rr-b g-r-b-g-b-r-r-g")
# One of 256 on the way from -1 to 1, and its rounding.
_LEVEL = 2 / 255 + 1e-6
_TASK = ("--task", "image-to-text")


def _drafted(graph: Path, data: Path, folder: Path, sources: Path) -> Model:
    options = BuildOptions(
        output=folder / "p", targets=(str(sources / "tiny.toml"),), task="image-to-text", evaluation=data
    )
    (job,) = read_jobs(str(graph), options)
    # The export is compared with the file on the data.
    draft_package(job, folder / "p", StageCache(), Quiet())
    return load(folder / "p", engine="tiny-cpu-fp32")


def test_a_built_package_reads_lines(command: Command, tmp_path: Path) -> None:
    graph = text_lines.write_tiny(tmp_path / "tiny.onnx", _SAID)
    data = text_lines.write_stripes(tmp_path / "stripes", _STRIPES)
    out = command.folder / "lines.ortpackage"
    fixed = (*_TASK, "--evaluation", data, "--target", command.target, "--threads", "1", "-o", out, "-q", *QUICK)
    done = command("build", graph, *fixed)
    assert done.code == 0, done.err
    files = [tmp_path / "stripes" / f"{index}.png" for index in range(len(_STRIPES))]
    with load(out, engine="tiny-cpu-fp32") as model:
        found = [model(file) for file in files]
        with pytest.raises(SampleError, match="at most 400 times as wide"):
            model(np.zeros((1, 401, 3), np.uint8))
    assert found == ["rgb", "rr gb", "b g r", "ggbrgbrb grbgbrrg"] == text_lines.their_texts(graph, files)
    accuracy = result_from_json(Package.open(out).evidence("tiny"), "evidence").engine("tiny-cpu-fp32").accuracy
    assert accuracy is not None
    assert accuracy.metrics["exact_match"].value == accuracy.metrics["chrf"].value == 1
    assert accuracy.metrics["character_error_rate"].value == 0
    done = command("run", out, files[0], "--json")
    assert json.loads(done.out)["answers"][0]["generated_text"] == "rgb", done.err
    assert command("verify", out).code == 0


def _processor(folder: Path, settings: dict[str, Any] | None = None, **graph: Any) -> LineProcessor:
    path = text_lines.write_tiny(folder / "tiny.onnx", **{"metadata": _SAID, **graph})
    (folder / "recogniser.json").unlink(missing_ok=True)
    if settings is not None:
        (folder / "recogniser.json").write_text(json.dumps(settings), encoding="utf-8")
    return LineProcessor(path, "text")


def test_settings_come_before_the_metadata(tmp_path: Path) -> None:
    settings = {"characters": ["1", "2", "3", "4"], "space": False, "width": 64, "order": "RGB", "mean": [0, 0, 0]}
    made = _processor(tmp_path, settings)
    picture = np.full((24, 16, 3), (255, 0, 51), np.uint8)
    line = made.feeds(picture)["line"]
    assert line.shape == (1, 3, 48, 64)
    assert line[0, :, 0, 0].tolist() == pytest.approx([2, 0, 0.4])
    assert not line[..., 32:].any()
    made.keep(tmp_path)
    kept = tmp_path / "assets" / "characters" / "characters.json"
    assert json.loads(kept.read_text(encoding="utf-8")) == [
        "<blank>",
        "1",
        "2",
        "3",
        "4",
    ]


def test_pictures_are_fitted_as_opencv_does_it(tmp_path: Path) -> None:
    """Within one level of 256: larger, smaller, of as many pixels, padded and not."""
    made, random = _processor(tmp_path), np.random.default_rng(5)
    for height, width in ((48, 320), (96, 640), (13, 87), (30, 207), (200, 77), (71, 900), (1, 5)):
        picture = random.integers(0, 256, (height, width, 3)).astype(np.uint8)
        found, expected = made.feeds(picture)["line"], text_lines.their_feeds(Image.fromarray(picture))
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() <= _LEVEL


def test_a_graph_of_one_width_has_longer_lines_squeezed(tmp_path: Path) -> None:
    made = _processor(tmp_path, width=160)
    for width in (40, 160, 1000):
        assert made.feeds(np.zeros((48, width, 3), np.uint8))["line"].shape == (1, 3, 48, 160)


@pytest.mark.parametrize(
    ("settings", "graph", "says"),
    [
        (None, {"metadata": {}}, "has no 'character', and there is no recogniser.json beside the file"),
        ({"space": False}, {}, "gives 5 scores, but there are 4 characters with the blank"),
        ({"height": 32}, {}, "its height is 48; recogniser.json says 32"),
        ({"width": 100}, {"width": 160}, "its width is 160"),
        ({"width": -1}, {}, "width is -1"),
        ({"std": [0, 0, 0]}, {}, "no std is 0"),
        ({"mean": [0.5]}, {}, "3 numbers each"),
        ({"charcters": []}, {}, "unknown key 'charcters'"),
        (None, {"channels": 1}, r"this one takes x \[b,\s?1,48,w\]"),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, settings: dict[str, Any] | None, graph: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        _processor(tmp_path, settings, **graph)


def test_a_graph_without_characters_is_refused_in_words(command: Command, tmp_path: Path) -> None:
    graph = text_lines.write_tiny(tmp_path / "tiny.onnx", {})
    data = text_lines.write_stripes(tmp_path / "stripes", _STRIPES)
    command.refuses_build(graph, *_TASK, "--evaluation", data, says=["recogniser.json", '{"characters":'])


@pytest.mark.slow
def test_pp_ocr_reads_as_rapidocr_does(tmp_path: Path, sources: Path) -> None:
    try:
        graph = text_lines.pp_ocr()
    except CannotFetchError as error:
        pytest.skip(str(error))
    data = text_lines.write_lines(tmp_path / "lines")
    files = [tmp_path / "lines" / f"{index}.png" for index in range(len(text_lines.TEXTS))]
    expected = text_lines.their_texts(graph, files)
    assert sum(one == text for one, text in zip(expected, text_lines.TEXTS, strict=True)) >= len(files) - 2
    with _drafted(graph, data, tmp_path, sources) as model:
        for file, text in zip(files, expected, strict=True):
            values = model.run(file)
            assert values["generated_text"] == text
            with Image.open(file) as picture:
                wanted = text_lines.their_feeds(picture)
            assert np.abs(values["x"] - wanted).max() <= _LEVEL
