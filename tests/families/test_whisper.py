"""Whisper from its checkpoint to transcripts: two graphs in one engine, built, checked, run without torch."""

import importlib
import itertools
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_speech
from command import QUICK, Command, run_apart
from edgewright_benchmarks.devices.parts import package_part
from edgewright_compiler.tasks.automatic_speech_recognition import whisper_prompt
from edgewright_runtime import Package, PackageError, SampleError, load
from edgewright_runtime.errors import AudioWarning
from edgewright_runtime.probe import Probe
from edgewright_runtime.steps.call import CallOptions
from edgewright_runtime.steps.text.prompt import Prompt
from edgewright_runtime.steps.values import Values
from real_audio import recordings


@pytest.fixture
def clips(spoken_clips: Path) -> Path:
    return spoken_clips


@pytest.fixture
def whisper(tiny_whisper: Path) -> Path:
    return tiny_whisper


@pytest.fixture
def package(built_whisper: Path) -> Path:
    return built_whisper


def source_texts(checkpoint: Path, waveforms: list[Any], **options: Any) -> list[str]:
    """What transformers makes of audio at the model's rate."""
    import torch

    transformers: Any = importlib.import_module("transformers")
    extractor = transformers.AutoFeatureExtractor.from_pretrained(checkpoint)
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    network = transformers.WhisperForConditionalGeneration.from_pretrained(checkpoint).eval()
    found = []
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for waveform in waveforms:
            features = extractor(waveform, sampling_rate=tiny_speech.RATE, return_tensors="pt").input_features
            (tokens,) = network.generate(features, **options)
            found.append(tokenizer.decode(tokens, skip_special_tokens=True).strip())
    return found


def short_recordings() -> list[tuple[Path, Any]]:
    """Real speech, as much of each as the model hears."""
    limit = tiny_speech.RATE * tiny_speech.WHISPER_SECONDS
    return [(file, waveform[:limit]) for file, waveform in itertools.islice(recordings(), 0, 18, 3)]


@pytest.mark.parametrize("options", [{}, {"num_beams": 2, "max_new_tokens": 8}])
def test_transcripts_of_real_speech_are_the_sources_to_the_letter(
    package: Path, whisper: Path, options: dict[str, Any]
) -> None:
    waveforms = [waveform for _, waveform in short_recordings()]
    options = options | {"suppress_tokens": tiny_speech.no_times(whisper)}
    with load(package, engine="tiny-cpu-fp32") as model:
        mine = [model(waveform, **options) for waveform in waveforms]
        together = model(waveforms, batch_size=5, **options)
    assert mine == source_texts(whisper, waveforms, **options)
    assert together == mine
    assert len(set(mine)) > len(mine) / 2


def test_an_engine_spans_its_components(package: Path) -> None:
    opened = Package.open(package)
    spec = opened.manifest.engines["tiny-cpu-fp32"]
    assert list(spec.parts) == ["decoder", "encoder"] or list(spec.parts) == ["encoder", "decoder"]
    (weights,) = {path for path in opened.engine_files("tiny-cpu-fp32") if path.suffix == ".bin"}
    files = {path.relative_to(package).parts[0] for path in opened.engine_files("tiny-cpu-fp32")}
    assert files == {"encoder", "decoder", "shared_assets"}
    assert weights.name == "weights.bin"
    with load(package, engine="tiny-cpu-fp32") as model:
        feeds = Probe(model).recorded_feeds(tiny_speech.sound(1))
        assert set(feeds) == {"encoder", "decoder"}
        assert set(Probe(model).feeds(tiny_speech.sound(1), "encoder")) == {"input_features"}
        # What the encoder makes differs from engine to engine, so golden samples are not about it.
        assert set(Probe(model).golden_feeds(tiny_speech.sound(1))) == {
            "encoder/input_features",
            "decoder/decoder_input_ids",
        }
        with pytest.raises(PackageError, match="no component 'model'"):
            model._engine.graph("model")


def test_plain_onnx_runtime_opens_each_component(package: Path) -> None:
    import onnxruntime

    context = onnxruntime.ModelPackageContext(str(package))
    options = onnxruntime.SessionOptions()
    options.add_provider("CPUExecutionProvider", {})
    chosen = context.select_component("encoder", onnxruntime.ModelPackageOptions(options))
    session = chosen.create_session()
    with load(package, engine=chosen.get_selected_variant_name()) as model:
        values = model.run(tiny_speech.sound(2))
    names = [entry.name for entry in session.get_outputs()]
    made = session.run(names, {"input_features": values["input_features"]})
    for name, array in zip(names, made, strict=True):
        np.testing.assert_allclose(array, values[name], atol=1e-5)


def test_a_variant_of_one_component_alone_is_no_engine(package: Path, tmp_path: Path) -> None:
    data = json.loads((package / "manifest.json").read_text(encoding="utf-8"))
    del data["components"]["decoder"]["variants"]["tiny-cpu-fp32"]
    (tmp_path / "manifest.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(PackageError, match="no variant of decoder"):
        Package.open(tmp_path)


def test_a_device_gets_all_components(package: Path) -> None:
    part = package_part(Package.open(package), "tiny")
    assert {path.split("/")[0] for path in part.files} >= {"encoder", "decoder", "shared_assets"}


def test_verify_and_bench_and_inspect(package: Path, clips: Path, command: Command) -> None:
    assert command("verify", package).code == 0
    outcome = command("inspect", package)
    assert outcome.code == 0
    assert "log_mel -> transcribe" in outcome.out
    report = command.folder / "report.md"
    done = command("bench", package, "--data", clips, "--report", report, "-q", *QUICK)
    assert done.code == 0, done.err
    assert "Word error rate" in report.read_text(encoding="utf-8")


def test_a_transcript_comes_as_it_is_written(package: Path, command: Command) -> None:
    with load(package) as model, warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        pieces = list(model.stream(tiny_speech.sound(3)))
        assert "".join(pieces) == model(tiny_speech.sound(3))
        assert len(pieces) > 1


def test_a_device_needs_no_torch_and_no_transformers(package: Path, clips: Path, shared_cache: Path) -> None:
    code = (
        "import sys, edgewright_runtime\n"
        "model = edgewright_runtime.load(sys.argv[1])\n"
        "assert isinstance(model(sys.argv[2]), str)\n"
        "heavy = {'torch', 'transformers', 'jiwer', 'scipy', 'onnx', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    file = clips.parent / "clips" / "000.wav"
    done = run_apart(package, file, cache=shared_cache, program=(sys.executable, "-W", "ignore", "-c", code))
    assert done.code == 0, done.err


def test_a_model_of_several_languages_is_told_which() -> None:
    settings = {
        "decoder_start_token_id": 5, "no_timestamps_token_id": 9, "is_multilingual": True, "language": None,
        "lang_to_id": {"<|en|>": 6, "<|de|>": 7}, "task_to_id": {"transcribe": 10, "translate": 11},
    }  # fmt: skip
    step = Prompt(None, output="ids", tokens=whisper_prompt(settings))  # type: ignore[arg-type] # it needs no file
    assert step.options == ("language", "task")
    assert step({})["ids"].tolist() == [[5, 6, 10, 9]]
    asked = {"language": "de", "task": "translate"}
    assert step(Values.for_call({}, CallOptions(options=asked)))["ids"].tolist() == [[5, 7, 11, 9]]
    with pytest.raises(SampleError, match="'fr', which this model does not have"):
        step(Values.for_call({}, CallOptions(options={"language": "fr"})))
    assert whisper_prompt({"decoder_start_token_id": 5, "no_timestamps_token_id": 9}) == [5, 9]
