"""CLIP and SigLIP from a checkpoint to answers: zero-shot classification, and images and texts found by one another."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_pairs
from command import QUICK, Command, run_apart
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import Model, Package, load
from edgewright_runtime.errors import SampleCutWarning, SampleError
from edgewright_runtime.probe import Probe

ZERO_SHOT = "zero-shot-image-classification"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = tiny_pairs.write_pairs(tmp_path_factory.mktemp("pairs") / "data")
    (table.parent / "labels.txt").write_text("\n".join(tiny_pairs.LABELS), encoding="utf-8")
    return table


@pytest.fixture(scope="module")
def clip(data: Path) -> Path:
    return tiny_pairs.write_dual(data.parent / "clip")


def built(folder: Path, source: Path, data: Path, cache: Path, *more: object) -> Path:
    output = data.parent / f"{source.name}{len(more)}.ortpackage"
    fixed = ("--accept-baseline", "--evaluation", data, "--max-drop", "90%", "--threads", "1", "-o", output, *QUICK)
    done = run_apart("build", source, *fixed, "--target", folder / "tiny.toml", *more, cache=cache, cwd=folder)
    assert done.code == 0, done.err
    return output


@pytest.fixture(scope="module")
def chooser(sources: Path, clip: Path, data: Path, shared_cache: Path) -> Path:
    """A package of the CLIP for the labels: do not write into it."""
    return built(sources, clip, data, shared_cache, "--labels", data.parent / "labels.txt", "--calibration", data)


@pytest.fixture(scope="module")
def finder(sources: Path, clip: Path, data: Path) -> Path:
    """The float engine of the CLIP for pairs, not measured: do not write into it."""
    return drafted(clip, data.parent / "pairs.ortpackage", sources, data, task="image-text-retrieval")


def drafted(source: Path, output: Path, sources: Path, data: Path, **options: Any) -> Path:
    target = str(sources / "tiny.toml")
    (job,) = read_jobs(str(source), BuildOptions(output=output, targets=(target,), evaluation=data, **options))
    draft_package(job, output, StageCache(), Quiet())
    return output


def float_model(package: Path) -> Model:
    return load(package, engine="tiny-cpu-fp32")


def pipeline(folder: Path) -> Any:
    """What transformers itself makes of the checkpoint."""
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer
    from transformers import pipeline as make

    untyped: Any = make
    images: Any = AutoImageProcessor
    parts = {
        "model": AutoModel.from_pretrained(folder),
        "tokenizer": AutoTokenizer.from_pretrained(folder),
        "image_processor": images.from_pretrained(folder, backend="pil"),
    }
    return untyped(ZERO_SHOT, **parts)


@pytest.mark.slow
def test_answers_are_those_of_transformers(chooser: Path, clip: Path, data: Path) -> None:
    source = pipeline(clip)
    with float_model(chooser) as model:
        for picture in sorted(data.parent.glob("*.png"))[:4]:
            for options in ({}, {"hypothesis_template": "a {} patch on noise"}):
                for labels in (list(tiny_pairs.LABELS), ["patch of noise", "white"], ["red"]):
                    expected = source(str(picture), candidate_labels=labels, **options)
                    found = model(picture, candidate_labels=labels, **options)
                    assert [entry["label"] for entry in found] == [entry["label"] for entry in expected]
                    assert np.allclose([e["score"] for e in found], [e["score"] for e in expected], atol=1e-5)


@pytest.mark.slow
def test_evidence_and_the_command_line(chooser: Path, data: Path, command: Command) -> None:
    evidence = Package.open(chooser).evidence("tiny")
    assert evidence["task"] == ZERO_SHOT
    assert set(evidence["engines"][0]["accuracy"]["metrics"]) == {"accuracy", "top_5_accuracy", "macro_f1"}
    assert command("verify", chooser).code == 0
    picture = data.parent / "red-0.png"
    done = command("run", chooser, picture, "--candidate-labels", "noise, a patch", "--json")
    answer = json.loads(done.out)["answers"][0]["labels"]
    assert sorted(entry["label"] for entry in answer) == ["a patch", "noise"]
    assert sum(entry["score"] for entry in answer) == pytest.approx(1)
    assert len(command("run", chooser, picture).out.splitlines()) == len(tiny_pairs.LABELS)
    assert len(command("run", chooser, picture, "--top-k", "2").out.splitlines()) == 2
    command.refuses(
        "run", chooser, picture, "--candidate-labels", " , ", says=["A label to choose from must be a text"]
    )
    command.refuses("run", chooser, picture, "--hypothesis-template", "a patch", says=["where the label goes"])
    command.refuses("run", chooser, data, says=["pairs.csv' is not an image"])
    with float_model(chooser) as model:
        with pytest.raises(SampleError, match="no labels to choose from"):
            model(picture, candidate_labels=[])
        with pytest.warns(SampleCutWarning, match="longer than the model's 16 tokens"):
            model(picture, candidate_labels=["a patch " * 40])


@pytest.mark.slow
def test_a_text_is_read_once_for_many_images(chooser: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgewright_runtime.graph import Graph

    rows: list[int] = []
    infer = Graph.infer

    def counted(self: Graph, feeds: Any) -> Any:
        rows.extend([len(feeds["input_ids"])] if "input_ids" in feeds else [])
        return infer(self, feeds)

    monkeypatch.setattr(Graph, "infer", counted)
    with float_model(chooser) as model:
        for picture in data.parent.glob("*.png"):
            model(picture)
        assert rows == [1] * len(tiny_pairs.LABELS)
        model(picture, candidate_labels=["red", "another"])
        assert len(rows) == len(tiny_pairs.LABELS) + 1


@pytest.mark.slow
def test_pairs_and_vectors_of_either_side(finder: Path, clip: Path, data: Path, command: Command) -> None:
    import torch
    from PIL import Image

    source = pipeline(clip)
    picture, text = data.parent / "blue-0.png", "a blue patch"
    feeds = source.tokenizer(text, return_tensors="pt")
    feeds |= source.image_processor(Image.open(picture), return_tensors="pt")
    with torch.no_grad():
        expected = source.model(**feeds)
    with float_model(finder) as model:
        values = model.run({"image": picture, "text": text})
        assert np.allclose(values["image_embeds"], expected.image_embeds, atol=1e-5)
        assert np.allclose(values["text_embeds"], expected.text_embeds, atol=1e-5)
        assert values["score"] == pytest.approx(float(expected.image_embeds @ expected.text_embeds.T), abs=1e-5)
        assert np.array_equal(model.embed(image=picture), values["image_embeds"])
        assert np.array_equal(model.embed(text=text), values["text_embeds"])
        with pytest.raises(SampleError, match="have no separate vector of 'sound'"):
            model.embed(sound=picture)
        with pytest.raises(SampleError, match="non-empty text"):
            model.embed(text=" ")
    done = command("run", finder, f"image={picture}", f"text={text}")
    assert float(done.out) == pytest.approx(values["score"])
    command.refuses("run", finder, f"image={picture}", says=["takes image and text"])


@pytest.mark.slow
def test_a_package_runs_without_torch(chooser: Path, data: Path) -> None:
    script = f"""
import sys
sys.modules.update(dict.fromkeys(["torch", "transformers", "onnx", "onnx_ir", "edgewright_compiler"]))
import edgewright_runtime
with edgewright_runtime.load({str(chooser)!r}) as model:
    print(len(model({str(data.parent / "red-0.png")!r}, candidate_labels="red, blue")))
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("2\n", 0), done.stderr


@pytest.mark.slow
def test_siglip_pads_and_takes_each_label_for_itself(data: Path, tmp_path: Path, sources: Path) -> None:
    """The whole build of another family is the same; that its graphs and steps are right is what differs."""
    folder = tiny_pairs.write_dual(tmp_path / "siglip", "siglip")
    package = drafted(folder, tmp_path / "draft.ortpackage", sources, data, labels=tiny_pairs.LABELS)
    picture = data.parent / "white-1.png"
    outputs = open_source(str(folder), SourceOptions(None, tiny_pairs.LABELS)).reference([picture])[0]["logits"]
    with float_model(package) as model:
        fed = Probe(model).recorded_feeds(picture)["text"]
        values = model.run(picture)
    assert [feeds["input_ids"].shape for feeds in fed] == [(1, tiny_pairs.POSITIONS)] * len(tiny_pairs.LABELS)
    assert np.allclose(values["logits"], outputs, atol=1e-4)
    assert np.allclose(values["scores"], 1 / (1 + np.exp(-outputs[0])), atol=1e-5)


def test_what_does_not_belong_together_is_refused(clip: Path, data: Path, command: Command, tmp_path: Path) -> None:
    command.refuses_build(clip, "--evaluation", data, says=["no labels of their own", "--labels FILE"])
    folder = Path(shutil.copytree(clip, tmp_path / "clip"))
    words = tiny_pairs.tokenizer()
    words.add_tokens([f"other{index}" for index in range(9)])
    words.save_pretrained(folder)
    labels = ("--labels", data.parent / "labels.txt")
    command.refuses_build(folder, "--evaluation", data, *labels, says=["tokenizer has", "does not belong to the model"])
    (folder / "preprocessor_config.json").unlink()
    command.refuses_build(folder, "--evaluation", data, *labels, says=["no image processor"])
    table = tmp_path / "empty.csv"
    table.write_text(f"image,text\n{data.parent / 'red-0.png'}, \n", encoding="utf-8")
    command.refuses_build(clip, "--evaluation", table, "--task", "image-text-retrieval", says=["the text is empty"])


def test_settings_of_the_image_processor_may_be_in_the_joint_file(clip: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(clip, tmp_path / "clip"))
    settings = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
    (folder / "preprocessor_config.json").unlink()
    joined = {"processor_class": "CLIPProcessor", "image_processor": settings}
    (folder / "processor_config.json").write_text(json.dumps(joined), encoding="utf-8")
    source = open_source(str(folder), SourceOptions(None, tiny_pairs.LABELS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert source.reference([next(clip.parent.glob("*.png"))])[0]["logits"].shape == (1, len(tiny_pairs.LABELS))
