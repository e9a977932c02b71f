"""From a thing in a picture to its keypoints: those of transformers, drawn, scored and refused on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import tiny_poses
from command import QUICK, Command
from edgewright_cli import main
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import SampleError, load
from edgewright_runtime.manifest import COMPONENT, StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_runtime.steps.image.keypoints import ReadKeypoints
from photos import photos


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of figures with their keypoints: do not write into it."""
    folder = tmp_path_factory.mktemp("figures")
    tiny_poses.write_figures(folder / "train", seed=1)
    tiny_poses.write_figures(folder / "validation", seed=2)
    return folder


def build(graph: Path, figures: Path, output: Path, sources: Path) -> Path:
    data = ("--calibration", str(figures / "train"), "--evaluation", str(figures / "validation"), "--accept-baseline")
    fixed = ("--target", str(sources / "tiny.toml"), "-o", str(output), *QUICK, "-q")
    labels = ("--labels", str(graph.parent / "labels.txt"))
    assert main(["build", str(graph), "--task", "keypoint-detection", *labels, *data, *fixed]) == 0
    return output


@pytest.fixture(scope="module")
def package(figures: Path, sources: Path, shared_cache: Path) -> Path:
    """A package of an ONNX file of heatmaps: do not write into it."""
    graph = tiny_poses.write_graph(figures / "colours")
    return build(graph, figures, figures / "colours.ortpackage", sources)


def known_figures(figures: Path) -> list[Any]:
    found = json.loads((figures / "validation" / "annotations.json").read_text(encoding="utf-8"))["annotations"]
    return [entry for entry in found if not entry["iscrowd"]]


def test_it_is_run_drawn_and_measured(command: Command, package: Path, figures: Path, tmp_path: Path) -> None:
    file = figures / "validation" / "images" / "1.png"
    entry = known_figures(figures)[1]
    box = json.dumps(entry["bbox"])
    drawn = tmp_path / "drawn.png"
    done = command("run", package, f"image={file}", f"box={box}", "--json", "--out", drawn, "--engine", "tiny-cpu-fp32")
    assert done.code == 0, done.err
    ((pose,),) = (answer["poses"] for answer in json.loads(done.out)["answers"])
    for index, point in enumerate(pose["keypoints"]):
        assert point["label"] == tiny_poses.LABELS[index]
        x, y, visible = entry["keypoints"][3 * index : 3 * index + 3]
        assert not visible or np.hypot(point["x"] - x, point["y"] - y) < 2
    with Image.open(drawn) as made, Image.open(file) as picture:
        assert made.size == picture.size
        assert (np.asarray(made) != np.asarray(picture)).any()
    lines = command("run", package, f"image={file}", f"box={box}", "-q").out.splitlines()
    assert len(lines) == 4
    assert lines[1].startswith("  Nose  ")
    done = command("bench", package, "--data", figures / "validation", "--json", *QUICK)
    assert done.code == 0, done.err
    accuracy = json.loads(done.out)["engines"][0]["accuracy"]
    assert list(accuracy["metrics"]) == ["oks_map", "oks_ap_50", "oks_ap_75", "pck"]
    assert accuracy["samples"] == len(known_figures(figures))
    # Colours are what tells the points apart.
    assert accuracy["metrics"]["oks_map"]["value"] > 0.8
    assert accuracy["metrics"]["pck"]["value"] > 0.99
    done = command("bench", package, "--data", figures / "validation" / "images", *QUICK, "--json")
    assert next(iter(json.loads(done.out)["engines"][0]["accuracy"]["metrics"])) == "agreement"
    assert command("verify", package).code == 0


def test_the_whole_picture_and_boxes_of_detectors(package: Path, figures: Path) -> None:
    file = figures / "validation" / "images" / "0.png"
    left, top, width, height = known_figures(figures)[0]["bbox"]
    sides = {"xmin": left, "ymin": top, "xmax": left + width, "ymax": top + height}
    with load(package, engine="tiny-cpu-fp32") as model:
        by_numbers = model({"image": file, "box": [left, top, width, height]})
        assert model({"image": file, "box": {"label": "figure", "score": 0.5, "box": sides}}) == by_numbers
        whole = model(file)
        assert whole == model({"image": file}) == model({"image": file, "box": [0, 0, 100, 100]})
        assert whole != by_numbers
        together = model([{"image": file, "box": [left, top, width, height]}, file])
        assert together == [by_numbers, whole]
        with pytest.raises(SampleError, match="has no input 'boxes'; it takes image, and may be given box"):
            model({"image": file, "boxes": [1, 2, 3, 4]})
        with pytest.raises(SampleError, match="image is missing"):
            model({"box": [1, 2, 3, 4]})


def test_bad_input(command: Command, package: Path, figures: Path, tmp_path: Path) -> None:
    file = figures / "validation" / "images" / "0.png"
    for box, says in (
        ("[1, 2", "is not JSON"),
        ('{"x": 1}', "is not a list of numbers"),
        ("[1, 2, 3]", "A box must be four numbers"),
        ("[300, 2, 3, 4]", "is not inside its picture, which is 100 x 100"),
    ):
        command.refuses("run", package, f"image={file}", f"box={box}", says=[says])
    command.refuses("run", package, "box=[1,2,3,4]", says=["image=... box=[X,Y,WIDTH,HEIGHT]"])
    graph = tiny_poses.write_graph(tmp_path / "odd")
    fixed = ("--task", "keypoint-detection", "--evaluation", figures / "validation")
    two = tmp_path / "two.txt"
    two.write_text("a\nb", encoding="utf-8")
    command.refuses_build(graph, *fixed, "--labels", two, says=["gives 3 scores, but there are 2 labels"])
    settings = graph.parent / "preprocessor_config.json"
    for more, says in (
        ({"normalize_factor": 100.0}, "normalize_factor = 100; supported are true and 200"),
        ({"image_processor_type": "ViTImageProcessor"}, "does not cut a thing out of a picture"),
    ):
        settings.write_text(json.dumps(tiny_poses.SETTINGS | more), encoding="utf-8")
        command.refuses_build(graph, *fixed, "--labels", graph.parent / "labels.txt", says=[says])
    settings.unlink()
    says_both = ["neither a preprocessor_config.json nor a detector.json"]
    command.refuses_build(graph, *fixed, "--labels", graph.parent / "labels.txt", says=says_both)


def test_a_detector_with_points(
    command: Command, figures: Path, sources: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """It takes pictures alone and finds several poses; all those of a picture are its ground truth."""
    graph = tiny_poses.write_detector(tmp_path / "places")
    package = build(graph, figures, tmp_path / "places.ortpackage", sources)
    file = figures / "validation" / "images" / "1.png"
    done = command("run", package, file, "--json", "--engine", "tiny-cpu-fp32", "--threshold", 0.15)
    poses = json.loads(done.out)["answers"][0]["poses"]
    # Its noses are in the pictures of two figures, which are fitted into its input.
    assert len(poses) == 2
    noses = sorted((pose["keypoints"][0]["x"], pose["keypoints"][0]["y"]) for pose in poses)
    wanted = sorted(tuple(entry["keypoints"][:2]) for entry in known_figures(figures) if entry["image_id"] == 101)
    assert np.abs(np.subtract(noses, wanted)).max() < 8
    done = command("bench", package, "--data", figures / "validation", "--json", *QUICK)
    assert done.code == 0, done.err
    accuracy = json.loads(done.out)["engines"][0]["accuracy"]
    assert accuracy["samples"] == 12
    assert accuracy["metrics"]["pck"]["value"] > 0.3
    fixed = ("--task", "keypoint-detection", "--evaluation", figures / "validation")
    two = tmp_path / "two.txt"
    two.write_text("a\nb", encoding="utf-8")
    command.refuses_build(graph, *fixed, "--labels", two, says=["has 3 keypoints, and there are 2 labels"])
    settings = json.loads((graph.parent / "detector.json").read_text(encoding="utf-8"))
    (graph.parent / "detector.json").write_text(json.dumps(settings | {"keypoints": 0}), encoding="utf-8")
    command.refuses_build(graph, *fixed, "--labels", two, says=["the detector has no keypoints"])


def test_more_experts_than_one_are_refused(command: Command, figures: Path, tmp_path: Path) -> None:
    config = {"architectures": ["VitPoseForPoseEstimation"], "backbone_config": {"num_experts": 6}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"")
    says = ["its backbone has 6 experts"]
    command.refuses_build(tmp_path, "--evaluation", figures / "validation", says=says)


@pytest.mark.slow
def test_keypoints_are_those_of_transformers(tmp_path: Path) -> None:
    """ViTPose with random weights on photographs: its graph, its pixels and its places."""
    import onnxruntime
    import torch
    from transformers import VitPoseForPoseEstimation, VitPoseImageProcessorPil

    from edgewright_compiler.graphs.exported import copy_graph

    folder = tiny_poses.write_checkpoint(tmp_path / "vitpose")
    source: Any = open_source(str(folder), SourceOptions())
    assert (source.task, source.labels, source.input_name) == ("keypoint-detection", tiny_poses.LABELS, "image+box")
    (tmp_path / "out").mkdir()
    source.export(tmp_path / "out")
    session = onnxruntime.InferenceSession(copy_graph(tmp_path / "out" / COMPONENT, tmp_path / "graph"))
    processor: Any = VitPoseImageProcessorPil.from_pretrained(folder)
    net: Any = VitPoseForPoseEstimation.from_pretrained(folder)
    exported = source._opened._processor
    steps = [make_free_step(step) for step in exported.steps(("pixels",))]
    assert exported.answer(("heatmaps",)) == (StepSpec("read_keypoints", {"heatmaps": "heatmaps"}),)

    class Manifest:
        labels = tiny_poses.LABELS

    class Package:
        manifest = Manifest

    read = ReadKeypoints(Package, heatmaps="heatmaps")  # type: ignore[arg-type]
    compared = 0
    for photo in photos():
        for box in ([100.0, 50.0, 60.0, 200.0], [200.0, 100.0, 300.0, 140.0], [0.0, 0.0, 640.0, 427.0]):
            values: dict[str, Any] = {"image": photo, "box": box}
            for step in steps:
                values |= step(values)
            (values["heatmaps"],) = session.run(None, {session.get_inputs()[0].name: values["pixels"]})
            with torch.no_grad():
                outputs = net.eval()(**processor(photo, boxes=[[box]], return_tensors="pt"))
            assert np.abs(values["heatmaps"] - outputs.heatmaps.numpy()).max() < 1e-3
            # Read from the same maps: noise may be highest elsewhere after the last digit.
            values["heatmaps"] = outputs.heatmaps.numpy()
            ((theirs,),) = processor.post_process_pose_estimation(outputs, boxes=[[box]])
            (pose,) = read(values)["poses"]
            for point, place, score in zip(pose["keypoints"], theirs["keypoints"], theirs["scores"], strict=True):
                assert point["score"] == pytest.approx(float(score), abs=1e-6)
                if score > 0:
                    compared += 1
                    assert np.hypot(point["x"] - float(place[0]), point["y"] - float(place[1])) < 0.01
    assert compared > 9
