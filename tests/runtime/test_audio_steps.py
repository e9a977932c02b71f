"""Audio of any kind to what a graph takes: files, arrays, rates, lengths, and what is not audio."""

import importlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from edgewright_runtime.errors import AudioWarning, SampleError
from edgewright_runtime.steps.audio.features import LogMel, log_mel, mel_filters
from edgewright_runtime.steps.audio.file import AudioReader
from tiny_speech import RATE, sound

read = AudioReader(sampling_rate=RATE, shortest=400, longest=60 * RATE)


def wav(samples: Any, rate: int = RATE, **options: Any) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", **options)
    return file.getvalue()


@pytest.mark.parametrize(("suffix", "gap"), [("wav", 4e-5), ("flac", 4e-5), ("ogg", 0.2), ("mp3", 0.2)])
def test_files_give_what_was_recorded(suffix: str, gap: float, tmp_path: Path) -> None:
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, sound(1), RATE)
    made = read(path)
    assert made.dtype == np.float32
    assert np.corrcoef(made[: sound(1).size], sound(1)[: made.size])[0, 1] > 0.98
    if suffix in ("wav", "flac"):
        assert np.abs(made - sound(1)).max() < gap
        assert np.array_equal(read(path.read_bytes()), made)
        assert np.array_equal(read(str(path)), made)


def test_channels_are_averaged() -> None:
    both = np.stack([sound(1, seconds=1), sound(2, seconds=1)], axis=1)
    assert np.allclose(read(wav(both, subtype="FLOAT")), both.mean(axis=1), atol=1e-7)


def test_another_rate_is_resampled_and_said() -> None:
    with pytest.warns(AudioWarning, match="8,000 samples per second, the model takes 16,000.*above 4 kHz"):
        made = read(wav(sound(3, rate=8000, seconds=1), 8000))
    time = np.arange(RATE) / RATE
    assert made.size == RATE
    # A tone far below half the rate is the same tone afterwards.
    with pytest.warns(AudioWarning, match="44,100"):
        tone = read({"array": np.sin(2 * np.pi * 440 * np.arange(44100) / 44100), "sampling_rate": 44100})
    assert np.abs(tone - np.sin(2 * np.pi * 440 * time))[200:-200].max() < 1e-3


def test_what_the_rate_cannot_hold_is_filtered_out_and_not_folded_back() -> None:
    high = np.sin(2 * np.pi * 15_000 * np.arange(48_000) / 48_000)
    with pytest.warns(AudioWarning):
        made = read({"array": high, "sampling_rate": 48_000})
    assert np.abs(made[200:-200]).max() < 1e-3


def test_arrays_are_taken_at_the_rate_of_the_model_and_integers_by_their_range() -> None:
    samples = (sound(4) * 32768).astype(np.int16)
    assert np.array_equal(read(samples), read(wav(samples)))
    assert np.array_equal(read(sound(4)), sound(4))


@pytest.mark.parametrize(
    ("audio", "says"),
    [
        (b"", "cannot be read as audio"),
        (b"RIFF not a wave file at all, but longer than a header of one is", "cannot be read as audio"),
        (wav(sound(1))[:30], "cannot be read as audio"),
        (wav(np.zeros(0)), "is empty"),
        (wav(np.zeros(100)), "lasts 6 ms; the model needs 25 ms"),
        (wav([0.0, float("nan"), 0.5] * 300, subtype="FLOAT"), "NaN"),
        (np.zeros((2, 8000), np.float32), "one channel"),
        (np.zeros(0, np.float32), "empty"),
        (np.zeros(8000, np.complex64), "one channel"),
        ({"array": np.zeros(8000), "sampling_rate": 0}, "sampling rate of 0"),
        ({"array": np.zeros(8000)}, "found dict"),
        (3, "found int"),
        (Path("no such file.wav"), "There is no file 'no such file.wav'"),
    ],
)
def test_what_is_no_audio_is_refused_in_words(audio: Any, says: str) -> None:
    with pytest.raises(SampleError, match=says):
        read(audio)


def test_three_hours_are_refused_from_the_header_with_the_limit_and_a_way_to_split(tmp_path: Path) -> None:
    path = tmp_path / "meeting.flac"
    soundfile.write(path, np.zeros(3 * 3600 * 1000, np.int16), 1000)
    with pytest.raises(SampleError, match=r"lasts 3\.0 hours; the model takes at most 60 seconds") as caught:
        read(path)
    assert "segment_time 60" in caught.value.hint


def test_a_header_that_lies_about_the_length_fills_no_memory(tmp_path: Path) -> None:
    short = bytearray(wav(sound(1, seconds=1)))
    short[40:44] = (2**31 - 2).to_bytes(4, "little")
    with pytest.raises(SampleError, match=r"at most|cannot be read"):
        AudioReader(sampling_rate=RATE, longest=RATE // 2)(bytes(short))


def test_a_model_of_one_window_hears_its_beginning_and_that_is_said() -> None:
    cutting = AudioReader(sampling_rate=RATE, longest=RATE, cut=True)
    whole = sound(5, seconds=3)
    with pytest.warns(AudioWarning, match="takes 1 seconds of audio; longer audio was cut"):
        made = cutting(whole)
    assert np.array_equal(made, whole[:RATE])


def test_audio_as_it_should_be_is_taken_without_a_word() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(wav(sound(6)))


@pytest.mark.parametrize(
    "changes",
    [{"mels": 10**9}, {"n_fft": 10**9}, {"n_fft": 401}, {"samples": 2**40}, {"samples": 100}, {"hop_length": 0}],
)
def test_sizes_that_only_fill_the_memory_are_refused_before_they_do(changes: dict[str, int]) -> None:
    sizes: dict[str, Any] = {"sampling_rate": RATE, "samples": 480_000, "mels": 80, "n_fft": 400, "hop_length": 160}
    with pytest.raises(ValueError, match="mels"):
        LogMel(output="input_features", **sizes | changes)
    with pytest.raises(ValueError, match="longest"):
        AudioReader(sampling_rate=RATE, longest=2**40)


@pytest.mark.parametrize("samples", [1, 160, 479_799, 479_800, 479_801, 480_000])
def test_a_spectrogram_is_that_of_whisper_wherever_the_sound_ends(samples: int) -> None:
    transformers: Any = importlib.import_module("transformers")
    waveform = sound(3, rate=RATE, seconds=30)[:samples]
    theirs = transformers.WhisperFeatureExtractor()(waveform, sampling_rate=RATE, return_tensors="np").input_features
    sizes: dict[str, Any] = {"sampling_rate": RATE, "samples": 480_000, "mels": 80, "n_fft": 400, "hop_length": 160}
    made = LogMel(output="start", **sizes)({"waveform": waveform})["start"]
    assert np.abs(made - theirs).max() < 1e-4


def test_a_long_spectrogram_is_made_in_parts_as_whisper_makes_it_at_once() -> None:
    transformers: Any = importlib.import_module("transformers")
    extractor = transformers.WhisperFeatureExtractor()
    waveform = np.concatenate([sound(index) for index in range(90)])
    theirs = extractor(waveform, sampling_rate=RATE, truncation=False, padding="longest", return_tensors="np")
    sizes: dict[str, Any] = {"sampling_rate": RATE, "samples": 480_000, "mels": 80, "n_fft": 400, "hop_length": 160}
    made = LogMel(output="start", whole="whole", **sizes)({"waveform": waveform})
    assert made["whole"].shape[2] > 6000
    assert np.abs(made["whole"] - theirs.input_features).max() < 1e-4
    assert np.array_equal(made["start"], made["whole"][:, :, :3000])


def test_a_file_is_resampled_in_blocks_as_it_would_be_at_once(tmp_path: Path) -> None:
    import soxr

    whole = np.stack([sound(1, rate=44_100, seconds=30), sound(2, rate=44_100, seconds=30)], axis=1)
    assert len(whole) > 2**20
    soundfile.write(tmp_path / "long.wav", whole, 44_100, subtype="FLOAT")
    with pytest.warns(AudioWarning, match="resampled"):
        made = read(tmp_path / "long.wav")
    assert np.array_equal(made, soxr.resample(whole.mean(axis=1, dtype=np.float32), 44_100, RATE))


def test_silence_has_the_lowest_value_everywhere() -> None:
    filters = mel_filters(RATE, 400, 80)
    silent = log_mel(np.zeros(RATE, np.float32), filters, 160)
    assert silent.shape == (80, 100)
    assert np.unique(silent).tolist() == pytest.approx([-1.5])
