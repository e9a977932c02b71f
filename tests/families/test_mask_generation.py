"""From a point or a box to the mask of a thing: that of transformers, drawn, scored, refused on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import tiny_prompted
from command import QUICK, Command
from edgewright_cli import main
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import SampleError, load


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of pictures with things: do not write into it."""
    folder = tmp_path_factory.mktemp("things")
    tiny_prompted.without_boxes(tiny_prompted.write_things(folder / "train", seed=1))
    tiny_prompted.without_boxes(tiny_prompted.write_things(folder / "validation", seed=2))
    return folder


def build(source: Path, things: Path, table: str, sources: Path, output: Path) -> Path:
    data = ("--calibration", str(things / "train" / table), "--evaluation", str(things / "validation" / table))
    fixed = ("--target", str(sources / "tiny.toml"), "-o", str(output), "--accept-baseline", *QUICK, "-q")
    assert main(["build", str(source), *data, *fixed]) == 0
    return output


@pytest.fixture(scope="module")
def package(things: Path, sources: Path, shared_cache: Path) -> Path:
    """A package of two graphs that were exported: do not write into it."""
    folder = tiny_prompted.write_graphs(things / "bright")
    return build(folder, things, "points.jsonl", sources, things / "bright.ortpackage")


def row(things: Path, index: int) -> dict[str, Any]:
    lines = (things / "validation" / "things.jsonl").read_text(encoding="utf-8").splitlines()
    found: dict[str, Any] = json.loads(lines[index])
    return found | {"image": things / "validation" / found["image"], "mask": things / "validation" / found["mask"]}


def test_it_is_run_drawn_and_measured(command: Command, package: Path, things: Path, tmp_path: Path) -> None:
    thing = row(things, 1)
    points = json.dumps(thing["points"])
    drawn = tmp_path / "drawn.png"
    words = (f"image={thing['image']}", f"points={points}")
    done = command("run", package, *words, "--json", "--out", drawn, "--engine", "tiny-cpu-fp32")
    assert done.code == 0, done.err
    (masks,) = (answer["masks"] for answer in json.loads(done.out)["answers"])
    assert [round(mask["score"], 2) for mask in masks] == [0.9, 0.6, 0.4]
    with Image.open(drawn) as made, Image.open(thing["image"]) as picture, Image.open(thing["mask"]) as mask:
        changed = (np.asarray(made) != np.asarray(picture)).any(axis=-1)
        right = np.asarray(mask) > 0
    assert (masks[0]["width"], masks[0]["height"]) == right.shape[::-1]
    assert (changed & right).sum() / (changed | right).sum() > 0.6
    assert masks[0]["share"] == pytest.approx(changed.mean(), abs=0.01)
    lines = command("run", package, *words, "-q").out.splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("% of the picture")
    done = command("bench", package, "--data", things / "validation" / "points.jsonl", "--json", *QUICK)
    assert done.code == 0, done.err
    accuracy = json.loads(done.out)["engines"][0]["accuracy"]
    assert list(accuracy["metrics"]) == ["surest_mask_iou", "best_mask_iou"]
    # Only the disc that is pointed at.
    assert accuracy["metrics"]["surest_mask_iou"]["value"] > 0.6
    assert command("verify", package).code == 0


def test_bad_input(command: Command, package: Path, things: Path, tmp_path: Path) -> None:
    thing = row(things, 1)
    image = f"image={thing['image']}"
    command.refuses("run", package, thing["image"], says=["neither points nor a box", '"points": [[x, y]]'])
    command.refuses("run", package, image, "points=[[900, 1]]", says=["The point [900, 1] is not in its picture"])
    command.refuses("run", package, image, "box=[1,2,3,4]", says=["takes points alone", "Build the checkpoint"])
    command.refuses("run", package, image, "points=here", says=["is not JSON", "points=[[X,Y],...]"])
    folder = tiny_prompted.write_graphs(tmp_path / "odd")
    data = ("--evaluation", things / "validation" / "points.jsonl")
    settings = folder / "preprocessor_config.json"
    settings.write_text(json.dumps(tiny_prompted.SETTINGS | {"do_pad": False}), encoding="utf-8")
    command.refuses_build(folder, *data, says=["does not bring pictures to a square"])
    settings.write_text(json.dumps(tiny_prompted.SETTINGS | {"image_processor_type": "ViTImageProcessor"}))
    command.refuses_build(folder, *data, says=["is not supported for masks of what a person points at"])
    (folder / "prompt_encoder_mask_decoder.onnx").write_bytes((folder / "vision_encoder.onnx").read_bytes())
    settings.write_text(json.dumps(tiny_prompted.SETTINGS), encoding="utf-8")
    says = ["expected pixel_values, image_embeddings, input_points and input_labels"]
    command.refuses_build(folder, *data, says=says)
    says = ["the graphs vision_encoder, prompt_encoder_mask_decoder are built for mask-generation"]
    command.refuses_build(folder, *data, "--task", "depth-estimation", says=says)


@pytest.mark.slow
def test_masks_are_those_of_transformers(
    command: Command, things: Path, sources: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """SAM with random weights, by points, a box, and both: its graphs (the build compares them) and its masks."""
    import torch
    from transformers import SamImageProcessorPil, SamModel, SamProcessor

    folder = tiny_prompted.write_checkpoint(tmp_path / "sam")
    source: Any = open_source(str(folder), SourceOptions())
    assert (source.task, source.input_name) == ("mask-generation", "image+points+box")
    package = build(folder, things, "things.jsonl", sources, tmp_path / "sam.ortpackage")
    net: Any = SamModel.from_pretrained(folder)
    processor: Any = SamProcessor(SamImageProcessorPil.from_pretrained(folder))  # type: ignore[no-untyped-call]
    with load(package, engine="tiny-cpu-fp32") as model:
        for index, keys in ((0, ("points",)), (1, ("points", "box")), (1, ("box",)), (2, ("points",))):
            thing = row(things, index)
            found = model({"image": thing["image"], **{key: thing[key] for key in keys}})
            given: dict[str, Any] = {}
            if "points" in keys:
                given["input_points"] = [[point[:2] for point in thing["points"]]]
                given["input_labels"] = [[point[2] if len(point) > 2 else 1 for point in thing["points"]]]
            if "box" in keys:
                x, y, width, height = thing["box"]
                given["input_boxes"] = [[[x, y, x + width, y + height]]]
            with Image.open(thing["image"]) as picture, torch.no_grad():
                fed = processor(picture.convert("RGB"), return_tensors="pt", **given)
                sizes = [fed.pop(name) for name in ("original_sizes", "reshaped_input_sizes")]
                made = net.eval()(
                    **{name: value.float() if value.is_floating_point() else value for name, value in fed.items()}
                )
            (theirs,) = processor.post_process_masks(made.pred_masks, *sizes)
            scores = made.iou_scores.reshape(-1)
            order = scores.argsort(descending=True, stable=True).tolist()
            assert len(found) == 3
            for one, place in zip(found, order, strict=True):
                assert one["score"] == pytest.approx(float(scores[place]), abs=1e-4)
                # A pixel may lie on the line within the last digits.
                assert (one["mask"] != theirs[0, place].numpy()).mean() < 2e-3
        with pytest.raises(SampleError, match="neither points nor a box"):
            model(row(things, 0)["image"])
    assert command("verify", package).code == 0
