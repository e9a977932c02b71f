"""Processors of speech checkpoints: the steps make what transformers makes, or the build stops and names the step."""

import importlib
import json
import shutil
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tiny_speech
from edgewright_compiler.checkpoints.checkpoint import Checkpoint, read_config
from edgewright_compiler.processors.audio import CheckpointAudio
from edgewright_compiler.processors.speech import VOCABULARY, CheckpointSpeech
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_compiler.tasks import find_task, task_of_architectures
from edgewright_runtime.steps.audio.ctc import CtcDecode
from edgewright_runtime.steps.audio.features import LogMel, Waveform
from edgewright_targets import InputError
from real_audio import recordings


def save(folder: Path, extractor: str, **options: Any) -> None:
    kind: Any = getattr(importlib.import_module("transformers"), extractor)
    kind(**options).save_pretrained(folder)


def opened(folder: Path) -> CheckpointAudio:
    return CheckpointAudio(Checkpoint(folder, {}, ()))


def made_by_steps(processor: CheckpointAudio, waveform: Any) -> np.ndarray[Any, Any]:
    """The graph's input by the declared steps, options and all."""
    (spec,) = processor.steps([processor.front.input])[1:]
    kind: Any = {"waveform": Waveform, "log_mel": LogMel}[spec.step]
    made: np.ndarray[Any, Any] = kind(**spec.options)({"waveform": waveform})[processor.front.input]
    return made


@pytest.mark.parametrize("mels", [80, 128])
def test_log_mel_of_real_speech_is_that_of_whisper(mels: int, tmp_path: Path) -> None:
    save(tmp_path, "WhisperFeatureExtractor", feature_size=mels)
    processor = opened(tmp_path)
    # Both kinds of recording, and as few of them as that takes: thirty seconds of spectrum are made of each.
    for _, waveform in list(recordings())[:: 3 if mels == 80 else 9]:
        theirs = processor.feeds(waveform)["input_features"]
        mine = made_by_steps(processor, waveform)
        assert mine.shape == theirs.shape == (1, mels, 3000)
        assert mine.dtype == theirs.dtype == np.float32
        assert np.abs(mine - theirs).max() < 1e-4


@pytest.mark.parametrize("normalize", [True, False])
def test_samples_of_real_speech_are_those_of_wav2vec2(normalize: bool, tmp_path: Path) -> None:
    save(tmp_path, "Wav2Vec2FeatureExtractor", do_normalize=normalize)
    processor = opened(tmp_path)
    for _, waveform in recordings():
        mine = made_by_steps(processor, waveform)
        assert np.array_equal(mine, processor.feeds(waveform)["input_values"])
        assert mine.dtype == np.float32


def test_silence_stays_silence(tmp_path: Path) -> None:
    save(tmp_path, "Wav2Vec2FeatureExtractor")
    silence = np.zeros(8000, np.float32)
    assert not made_by_steps(opened(tmp_path), silence).any()
    assert not opened(tmp_path).feeds(silence)["input_values"].any()


def test_an_extractor_without_steps_stops_and_is_named(tmp_path: Path) -> None:
    save(tmp_path, "ClapFeatureExtractor")
    with pytest.raises(
        InputError, match="the step 'ClapFeatureExtractor' of its processor cannot be reproduced"
    ) as caught:
        opened(tmp_path)
    assert "WhisperFeatureExtractor" in caught.value.hint


def test_noise_that_is_added_stops_and_is_named(tmp_path: Path) -> None:
    save(tmp_path, "WhisperFeatureExtractor", dither=0.1)
    with pytest.raises(InputError, match=r"'WhisperFeatureExtractor'.*dither 0.1 adds noise"):
        opened(tmp_path)


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_speech.write_speech_checkpoint(tmp_path_factory.mktemp("speech") / "wav2vec2")


def test_a_language_model_stops_and_is_named(speech: Path, tmp_path: Path) -> None:
    for file in speech.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "processor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"processor_class": "Wav2Vec2ProcessorWithLM"}))
    with pytest.raises(InputError, match=r"'Wav2Vec2ProcessorWithLM'.*language model.*cannot be reproduced"):
        CheckpointSpeech(Checkpoint(tmp_path, read_config(tmp_path), ()))


@pytest.mark.parametrize("options", [{}, {"do_lower_case": True}, {"clean_up_tokenization_spaces": True}])
def test_greedy_texts_are_those_of_transformers(options: dict[str, Any], speech: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(speech, tmp_path / "speech"))
    kind: Any = importlib.import_module("transformers").Wav2Vec2CTCTokenizer
    tokenizer = kind(str(folder / "vocab.json"), **options)
    tokenizer.save_pretrained(folder)
    processor = CheckpointSpeech(Checkpoint(folder, read_config(folder), ()))
    processor.keep(tmp_path)
    (vocabulary,) = tmp_path.rglob("ctc.json")
    package: Any = SimpleNamespace(asset=lambda uri: vocabulary)
    step = CtcDecode(package, logits="logits", vocabulary=VOCABULARY)
    random = np.random.default_rng(1)
    for _ in range(200):
        # Mostly blanks, delimiters and few letters, so that repeats and words come about.
        ids = random.choice([0, 0, 1, 3, 4, 4, 27, 5, 11, 17], size=30).tolist()
        logits = 9 * np.eye(len(tiny_speech.TOKENS), dtype=np.float32)[None, ids]
        assert step({"logits": logits})["text"] == tokenizer.batch_decode([ids])[0]


@pytest.mark.parametrize(
    ("missing", "says"), [("vocab.json", "no vocabulary"), ("processor_config.json", "no feature extractor")]
)
def test_a_folder_without_its_processor_is_refused(missing: str, says: str, speech: Path, tmp_path: Path) -> None:
    for file in speech.iterdir():
        if file.name != missing:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(InputError, match=says):
        open_source(str(tmp_path), SourceOptions())


@pytest.mark.parametrize(
    ("architecture", "task"),
    [
        ("Wav2Vec2ForCTC", "automatic-speech-recognition"),
        ("HubertForCTC", "automatic-speech-recognition"),
        ("HubertForSequenceClassification", "audio-classification"),
        ("Wav2Vec2ConformerForSequenceClassification", "audio-classification"),
        ("WhisperForAudioClassification", "audio-classification"),
        ("ASTForAudioClassification", "audio-classification"),
        ("BertForSequenceClassification", "text-classification"),
    ],
)
def test_tasks_are_told_by_their_architecture(architecture: str, task: str) -> None:
    assert task_of_architectures([architecture]) is find_task(task)


def test_classes_of_speech_encoders_are_called_as_listed() -> None:
    import transformers

    heads = [head for head in find_task("audio-classification").heads if not head.startswith("For")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert [head for head in heads if not hasattr(transformers, head)] == []
