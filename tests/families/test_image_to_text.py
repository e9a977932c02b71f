"""BLIP, and pairs of an encoder and a decoder, from a checkpoint to words about an image."""

from __future__ import annotations

import json
import subprocess
import sys
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
from edgewright_runtime import Model, Package, load
from edgewright_runtime.errors import SampleError

# transformers has advice where nothing says how long an answer may be, which is tested here.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Using the model-agnostic default")]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_pairs.write_pairs(tmp_path_factory.mktemp("captions") / "data")


@pytest.fixture(scope="module")
def blip(data: Path) -> Path:
    return tiny_pairs.write_blip(data.parent / "blip")


@pytest.fixture(scope="module")
def captioner(sources: Path, blip: Path, data: Path, shared_cache: Path) -> Path:
    """A package of the BLIP for captions: do not write into it."""
    output = data.parent / "blip.ortpackage"
    fixed = ("--accept-baseline", "--evaluation", data, "--max-drop", "90%", "--threads", "1", "-o", output, *QUICK)
    done = run_apart("build", blip, *fixed, "--target", sources / "tiny.toml", cache=shared_cache, cwd=sources)
    assert done.code == 0, done.err
    return output


def drafted(folder: Path, sources: Path, table: Path) -> Model:
    """The float engine of a checkpoint, without the measuring of a build."""
    output = folder.with_name(f"{folder.name}.draft.ortpackage")
    (job,) = read_jobs(
        str(folder), BuildOptions(output=output, targets=(str(sources / "tiny.toml"),), evaluation=table)
    )
    draft_package(job, output, StageCache(), Quiet())
    return load(output, engine="tiny-cpu-fp32")


def source_parts(folder: Path, name: str, picture: Path) -> tuple[Any, Any, Any]:
    """The model of transformers, its tokenizer, and a picture as it sees it."""
    import transformers
    from PIL import Image

    images: Any = transformers.AutoImageProcessor
    pixels = images.from_pretrained(folder, backend="pil")(Image.open(picture), return_tensors="pt").pixel_values
    model = getattr(transformers, name).from_pretrained(folder)
    return model, transformers.AutoTokenizer.from_pretrained(folder), pixels


@pytest.mark.parametrize("options", [{}, {"num_beams": 3, "max_new_tokens": 12}, {"max_new_tokens": 25}])
def test_captions_are_those_of_transformers(captioner: Path, blip: Path, data: Path, options: dict[str, Any]) -> None:
    with load(captioner, engine="tiny-cpu-fp32") as model:
        for picture in sorted(data.parent.glob("*.png"))[:3]:
            source, words, pixels = source_parts(blip, "BlipForConditionalGeneration", picture)
            begin = words("a red patch", return_tensors="pt").input_ids
            for prompt, expected in (
                (None, source.generate(pixel_values=pixels, **options)[0].tolist()[1:]),
                ("a red patch", source.generate(pixel_values=pixels, input_ids=begin, **options)[0].tolist()[4:]),
            ):
                assert model.run(picture, prompt=prompt, **options)["generation"]["tokens"] == expected
        with pytest.raises(SampleError, match="must be a text to continue"):
            model(picture, prompt=" ")


def test_evidence_and_the_command_line(captioner: Path, data: Path, command: Command) -> None:
    evidence = Package.open(captioner).evidence("tiny")
    assert evidence["task"] == "image-to-text"
    assert set(evidence["engines"][0]["accuracy"]["metrics"]) == {
        "chrf",
        "cider_d",
        "exact_match",
        "character_error_rate",
    }
    assert command("verify", captioner).code == 0
    picture = data.parent / "red-0.png"
    done = command("run", captioner, picture, "--prompt", "a red", "--max-new-tokens", "4", "--json")
    assert len(json.loads(done.out)["answers"][0]["tokens"]) <= 4, done.err
    command.refuses("run", captioner, data, says=["pairs.csv' is not an image"])


def test_a_package_runs_without_torch(captioner: Path, data: Path) -> None:
    script = f"""
import sys
sys.modules.update(dict.fromkeys(["torch", "transformers", "onnx", "onnx_ir", "edgewright_compiler"]))
import edgewright_runtime
with edgewright_runtime.load({str(captioner)!r}) as model:
    values = model.run({str(data.parent / "red-0.png")!r}, max_new_tokens=5, min_new_tokens=5)
    print(len(values["generation"]["tokens"]))
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("5\n", 0), done.stderr


def test_an_encoder_and_a_decoder_of_two_families(data: Path, sources: Path) -> None:
    folder, picture = tiny_pairs.write_captioner(data.parent / "pair"), data.parent / "blue-0.png"
    source, _, pixels = source_parts(folder, "VisionEncoderDecoderModel", picture)
    with drafted(folder, sources, data) as model:
        for options in ({}, {"num_beams": 3, "max_new_tokens": 12}):
            expected = source.generate(pixel_values=pixels, **options)[0].tolist()[1:]
            assert model.run(picture, **options)["generation"]["tokens"] == expected


def test_answers_to_questions_are_those_of_transformers(data: Path, sources: Path) -> None:
    folder, picture = tiny_pairs.write_blip(data.parent / "vqa", "ForQuestionAnswering"), data.parent / "blue-0.png"
    table = data.with_name("questions.csv")
    table.write_text("image,question,answers\nblue-0.png,what colour is it?,blue\n", encoding="utf-8")
    source, words, pixels = source_parts(folder, "BlipForQuestionAnswering", picture)
    with drafted(folder, sources, table) as model:
        for question in ("what colour is it?", "has the patch noise on it?"):
            feeds = words(question, return_tensors="pt")
            asked = {"input_ids": feeds.input_ids, "attention_mask": feeds.attention_mask}
            expected = source.generate(pixel_values=pixels, **asked)[0].tolist()[1:]
            sample = {"image": picture, "question": question}
            assert model.run(sample)["generation"]["tokens"] == expected
        with pytest.raises(SampleError, match="non-empty text"):
            model({"image": picture, "question": ""})


def test_scores_of_pairs_are_those_of_transformers(data: Path, sources: Path) -> None:
    import torch

    folder, picture = tiny_pairs.write_blip(data.parent / "match", "ForImageTextRetrieval"), data.parent / "red-1.png"
    table = data.with_name("matches.csv")
    table.write_text("image,text,label\nred-1.png,a red patch,match\nred-1.png,a blue one,other\n", encoding="utf-8")
    source, words, pixels = source_parts(folder, "BlipForImageTextRetrieval", picture)
    with drafted(folder, sources, table) as model:
        for text in ("a red patch", "this is noise"):
            feeds = words(text, return_tensors="pt")
            asked = {"input_ids": feeds.input_ids, "attention_mask": feeds.attention_mask, "pixel_values": pixels}
            with torch.no_grad():
                scores, cosine = (source(**asked, use_itm_head=head).itm_score for head in (True, False))
            values = model.run({"image": picture, "text": text})
            assert np.allclose(values["itm_score"], scores, atol=1e-4)
            assert values["match"]["score"] == pytest.approx(float(scores.softmax(dim=1)[0, 1]), abs=1e-5)
            assert values["match"]["cosine"] == pytest.approx(float(cosine), abs=1e-5)
