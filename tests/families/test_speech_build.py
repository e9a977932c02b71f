"""Speech checkpoints from folder to transcript: exported, checked, measured, packaged, run without torch."""

import json
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir
import pytest
import soundfile

import tiny_speech
from command import QUICK, Command, run_apart
from edgewright_benchmarks.data import read_dataset
from edgewright_benchmarks.result_files import result_from_json
from edgewright_compiler.graphs.exported import read_exported
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import Package, load
from edgewright_runtime.errors import AudioWarning, SampleError
from edgewright_targets import InputError
from real_audio import recordings

TASK = "automatic-speech-recognition"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of recordings with transcripts, of no rate that the models take."""
    return tiny_speech.write_recordings(tmp_path_factory.mktemp("data"), rate=8000)


@pytest.fixture(scope="module")
def wav2vec2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_speech.write_speech_checkpoint(tmp_path_factory.mktemp("speech") / "wav2vec2")


@pytest.fixture(scope="module")
def package(wav2vec2: Path, clips: Path, sources: Path, shared_cache: Path) -> Path:
    return built(wav2vec2, sources, shared_cache, "--calibration", clips, "--evaluation", clips.parent)


def built(checkpoint: Path, sources: Path, cache: Path, *data: Any) -> Path:
    output = checkpoint.parent / f"{checkpoint.name}.ortpackage"
    fixed = ("--accept-baseline", "--target", sources / "tiny.toml", "-o", output, *QUICK)
    done = run_apart("build", checkpoint, *data, *fixed, cache=cache)
    assert done.code == 0, done.err
    # Said once, however many recordings there are.
    assert done.err_line.count("it was resampled") <= 1
    return output


def source_texts(checkpoint: Path, model: str, waveforms: list[Any]) -> list[str]:
    """What transformers makes of audio at the model's rate: its processor, its model, its decoding."""
    import importlib

    import torch

    transformers: Any = importlib.import_module("transformers")
    processor = transformers.AutoProcessor.from_pretrained(checkpoint)
    network = getattr(transformers, model).from_pretrained(checkpoint).eval()
    found = []
    with torch.no_grad():
        for waveform in waveforms:
            feeds = processor(waveform, sampling_rate=16_000, return_tensors="pt")
            found += processor.batch_decode(network(**feeds).logits.argmax(dim=-1))
    return found


def check_transcripts(package: Path, checkpoint: Path, model: str) -> None:
    """The float engine's transcripts of real speech are the source's, to the letter."""
    real = [(file, waveform) for file, waveform in recordings()]
    with load(package, engine="tiny-cpu-fp32") as engine, warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        mine = [engine(file) for file, _ in real]
    theirs = source_texts(checkpoint, model, [waveform for _, waveform in real])
    assert mine == theirs
    assert len(set(mine)) > len(mine) / 2


def test_transcripts_of_real_speech_are_the_sources_to_the_letter(package: Path, wav2vec2: Path) -> None:
    check_transcripts(package, wav2vec2, "Wav2Vec2ForCTC")


def test_the_weights_of_convolutions_are_weights_and_not_computed(package: Path) -> None:
    graph = onnx_ir.load(package / "model" / "tiny-cpu-fp32" / "model.onnx").graph
    convolutions = [node for node in graph if node.op_type == "Conv"]
    # Seven in front, and the one of positions, whose weight norm is the source's.
    assert len(convolutions) == 8
    assert all(node.inputs[1] is not None and node.inputs[1].is_initializer() for node in convolutions)


@pytest.mark.slow
def test_hubert_built_as_large_models_are_as_well(
    clips: Path, sources: Path, shared_cache: Path, tmp_path: Path
) -> None:
    checkpoint = tiny_speech.write_speech_checkpoint(tmp_path / "hubert", model="Hubert", large=True)
    made = built(checkpoint, sources, shared_cache, "--calibration", clips)
    check_transcripts(made, checkpoint, "HubertForCTC")


def test_evidence_has_the_word_error_rate(package: Path) -> None:
    opened = Package.open(package)
    result = result_from_json(opened.evidence("tiny"), "evidence")
    assert result.measure == "accuracy"
    assert result.data.labelled
    for engine in result.engines:
        assert engine.accuracy is not None
        metrics = engine.accuracy.metrics
        assert list(metrics) == ["word_accuracy", "word_error_rate", "character_error_rate"]
        assert metrics["word_accuracy"].value == pytest.approx(1 - metrics["word_error_rate"].value)


def test_run_prints_transcripts_and_says_that_it_resampled(package: Path, clips: Path, command: Command) -> None:
    files = sorted((clips.parent / "clips").glob("*.wav"))[:3]
    outcome = command("run", package, *files)
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert [line.split("  ->  ")[0] for line in lines] == [str(file) for file in files]
    assert outcome.err_line.count("has 8,000 samples per second, the model takes 16,000") == 1
    as_json = json.loads(command("run", package, *files, "--json").out)
    assert [f"{entry['input']}  ->  {entry['text']}" for entry in as_json["answers"]] == lines


def test_beams_are_asked_for_in_a_call(package: Path, clips: Path, command: Command) -> None:
    file = clips.parent / "clips" / "001.wav"
    with load(package, engine="tiny-cpu-fp32") as model, warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        greedy, searched = model(file), model(file, num_beams=8)
        with pytest.raises(SampleError, match="no option 'beams'"):
            model(file, beams=8)
    assert greedy != searched
    outcome = command("run", package, file, "--num-beams", "8", "--engine", "tiny-cpu-fp32")
    assert outcome.out.strip() == searched


def test_golden_samples_are_recordings_and_verify_passes(package: Path, command: Command) -> None:
    done = command("verify", package)
    assert done.code == 0, done.err


def test_reports_name_the_word_error_rate(package: Path, clips: Path, command: Command) -> None:
    for suffix in ("html", "md"):
        report = command.folder / f"report.{suffix}"
        done = command("bench", package, "--data", clips, "--report", report, "-q", *QUICK)
        assert done.code == 0, done.err
        text = report.read_text(encoding="utf-8")
        assert "Word error rate" in text
        assert "Word accuracy" in text


def test_a_device_needs_no_torch_and_no_transformers(package: Path, clips: Path, shared_cache: Path) -> None:
    code = (
        "import sys, edgewright_runtime\n"
        "model = edgewright_runtime.load(sys.argv[1])\n"
        "assert isinstance(model(sys.argv[2]), str)\n"
        "heavy = {'torch', 'transformers', 'jiwer', 'scipy', 'onnx', 'tokenizers', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    file = clips.parent / "clips" / "000.wav"
    done = run_apart(package, file, cache=shared_cache, program=(sys.executable, "-W", "ignore", "-c", code))
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.wav", b"", ["cannot be read as audio"]),
        ("letter.wav", b"Dear Sir or Madam,\n" * 20, ["cannot be read as audio", "ffmpeg"]),
        ("nan.wav", np.full(9000, np.nan), ["NaN"]),
        ("short.wav", np.zeros(80), ["5 ms", "25 ms"]),
    ],
)
def test_what_is_no_recording_is_refused_in_words(
    name: str, content: Any, says: list[str], package: Path, command: Command
) -> None:
    file = command.folder / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        soundfile.write(file, content, 16_000, subtype="FLOAT")
    command.refuses("run", package, file, says=says)


def test_hours_are_refused(package: Path, command: Command) -> None:
    """What 3 hours would be at a rate of 100: it is the header that says so."""
    soundfile.write(command.folder / "long.flac", np.zeros(3 * 3600 * 100), 100)
    says = ["lasts 3.0 hours; the model takes at most 3600 seconds", "segment_time 3600"]
    command.refuses("run", package, command.folder / "long.flac", says=says)


def test_more_than_a_minute_is_heard_in_windows(package: Path, wav2vec2: Path) -> None:
    """Real prompts in a row: the transcript of transformers' own pipeline with windows of 30 seconds."""
    import transformers

    waveform = np.concatenate([samples for _, samples in recordings()])
    waveform = np.resize(waveform, 70 * 16_000)
    made: Any = transformers.pipeline
    pipeline = made(TASK, model=str(wav2vec2))
    expected = pipeline(waveform.copy(), chunk_length_s=30)["text"]
    (reference,) = open_source(str(wav2vec2), SourceOptions()).reference([waveform])
    with load(package, engine="tiny-cpu-fp32") as model:
        values = model.run(waveform)
        assert values["text"] == expected
        largest = np.abs(reference["logits"]).max()
        assert np.abs(values["logits"] - reference["logits"]).max() < 1e-3 * largest
        assert model(waveform[: 20 * 16_000]) == pipeline(waveform[: 20 * 16_000].copy())["text"]


def test_silence_is_answered(package: Path, command: Command) -> None:
    soundfile.write(command.folder / "silence.wav", np.zeros(16_000), 16_000)
    assert command("run", package, command.folder / "silence.wav").code == 0


def test_no_file_is_refused(package: Path, command: Command) -> None:
    command.refuses("run", package, "nosuch.wav", says=["There is no file 'nosuch.wav'"])


def test_a_build_names_the_recording_that_is_none(wav2vec2: Path, command: Command) -> None:
    (command.folder / "bad.wav").write_bytes(b"none")
    (command.folder / "bad.csv").write_text("audio,text\nbad.wav,hello\n")
    command.refuses_build(
        wav2vec2, "--calibration", command.folder / "bad.csv", says=["bad.csv", "sample 1", "cannot be read as audio"]
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("audio,text\nclips/000.wav,\n", "line 2: the transcript is empty"),
        ("audio,text\nclips/nosuch.wav,hello\n", "line 2: there is no file 'clips/nosuch.wav'"),
        ("sound,text\nclips/000.wav,hello\n", "has no column 'audio'; its columns are: sound, text"),
    ],
)
def test_tables_that_do_not_fit_are_refused_with_the_line(text: str, says: str, clips: Path) -> None:
    table = clips.parent / "wrong.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says.replace(".", r"\.")):
        read_dataset(table, task=TASK, input_name="audio")


def test_one_folder_read_in_every_way_has_the_same_samples(clips: Path) -> None:
    rows = [line.split(",") for line in clips.read_text().splitlines()[1:]]
    folder = clips.parent
    (folder / "lines.jsonl").write_text(
        "\n".join(json.dumps({"file_name": name, "text": text}) for name, text in rows), encoding="utf-8"
    )
    made = [read_dataset(path, task=TASK, input_name="audio") for path in (clips, folder, folder / "lines.jsonl")]
    assert made[0].samples == made[1].samples == made[2].samples
    assert made[0].labels == made[1].labels == made[2].labels == tuple(text for _, text in rows)
    assert made[0].digest == made[1].digest
    alone = read_dataset(folder / "clips", task=TASK, input_name="audio")
    assert alone.samples == made[0].samples
    assert alone.labels is None


def test_an_onnx_file_with_its_processor_beside_it_makes_the_same_steps(
    package: Path, wav2vec2: Path, tmp_path: Path
) -> None:
    shutil.copyfile(package / "model" / "tiny-cpu-fp32" / "model.onnx", tmp_path / "model.onnx")
    # Which other engines ship depends on readings of the machine.
    (weights,) = {path for path in Package.open(package).engine_files("tiny-cpu-fp32") if path.suffix == ".bin"}
    shutil.copyfile(weights, tmp_path / "weights.bin")
    options = SourceOptions(task=TASK)
    with pytest.raises(InputError, match="no feature extractor"):
        open_source(str(tmp_path / "model.onnx"), options)
    for name in ("vocab.json", "processor_config.json", "tokenizer_config.json", "config.json"):
        shutil.copyfile(wav2vec2 / name, tmp_path / name)
    source = open_source(str(tmp_path / "model.onnx"), options)
    (tmp_path / "exported").mkdir()
    source.export(tmp_path / "exported")
    made = read_exported(tmp_path / "exported").pipeline.steps
    built = Package.open(package).manifest.pipeline.steps
    assert [step.step for step in made] == [step.step for step in built]
    # All but the vocabulary, which has its digest for a name in a package.
    assert [step.options for step in made[:-1]] == [step.options for step in built[:-1]]
    waveform = tiny_speech.sound(3)
    (mine,) = source.reference([waveform])
    (theirs,) = open_source(str(wav2vec2), SourceOptions()).reference([waveform])
    assert np.abs(mine["logits"] - theirs["logits"]).max() < 1e-3
    before = source.digest()
    (tmp_path / "vocab.json").write_text((tmp_path / "vocab.json").read_text().replace('"E"', '"e"'))
    assert open_source(str(tmp_path / "model.onnx"), options).digest() != before


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Whisper"])
def test_sounds_are_classified(kind: str, sources: Path, shared_cache: Path, tmp_path: Path) -> None:
    checkpoint = tiny_speech.write_audio_classifier(tmp_path / kind.lower(), kind=kind)
    data = tiny_speech.write_sound_classes(tmp_path / "data")
    made = built(checkpoint, sources, shared_cache, "--calibration", data, "--evaluation", data)
    result = result_from_json(Package.open(made).evidence("tiny"), "evidence")
    assert result.task == "audio-classification"
    assert result.engine("tiny-cpu-fp32").accuracy is not None
    with load(made) as model:
        (best,) = model(data / "low" / "000.flac")
    assert best["label"] in tiny_speech.LABELS
