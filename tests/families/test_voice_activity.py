"""Voice activity with silero-vad's real weights on real prompts: the same segments as its own code finds."""

import importlib.util
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from command import QUICK, Command, run_apart
from edgewright_benchmarks.result_files import result_from_json
from edgewright_runtime import Package, load
from edgewright_runtime.answer_types import SpeechSegment
from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.audio.segments import Segmenter, SegmentSettings
from real_audio import recordings
from real_models import unpacked_wheel

_RATE = 16_000
Waveform = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def silero() -> Any:
    """The module of silero's own code that finds segments."""
    path = unpacked_wheel("silero-vad") / "silero_vad" / "utils_vad.py"
    spec = importlib.util.spec_from_file_location("silero_utils_vad", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four recordings of two prompts each, with quiet noise between; the segments are where the prompts lie."""
    folder = tmp_path_factory.mktemp("voice")
    random = np.random.default_rng(11)
    prompts = [waveform for _, waveform in recordings()]
    lines = []
    for index in range(4):
        parts, segments, now = [], [], 0
        for prompt in prompts[2 * index : 2 * index + 2]:
            gap = int(random.integers(_RATE // 4, 2 * _RATE))
            parts += [np.zeros(gap, np.float32), prompt]
            now += gap
            segments.append({"start": now / _RATE, "end": (now + len(prompt)) / _RATE})
            now += len(prompt)
        samples = np.concatenate([*parts, np.zeros(1234, np.float32)])
        samples += random.normal(scale=1e-3, size=len(samples)).astype(np.float32)
        soundfile.write(folder / f"{index}.wav", samples, _RATE)
        lines.append(json.dumps({"audio": f"{index}.wav", "segments": segments}))
    (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


# It builds a package, which takes more than a few seconds.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def package(clips: Path, sources: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    graph = unpacked_wheel("silero-vad") / "silero_vad" / "data" / "silero_vad_16k_op15.onnx"
    out = tmp_path_factory.mktemp("vad") / "p"
    fixed = ("--task", "voice-activity-detection", "--target", sources / "tiny.toml", *QUICK)
    done = run_apart(
        "build", graph, *fixed, "--calibration", clips, "--evaluation", clips, "-o", out, cache=shared_cache
    )
    assert done.code == 0, done.err
    return out


def _expected(silero: Any, waveform: Waveform, **options: Any) -> list[tuple[int, int]]:
    import torch

    found = silero.get_speech_timestamps(torch.from_numpy(waveform), _wrapper(silero), **options)
    return [(entry["start"], entry["end"]) for entry in found]


def _wrapper(silero: Any) -> Any:
    graph = unpacked_wheel("silero-vad") / "silero_vad" / "data" / "silero_vad_16k_op15.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return silero.OnnxWrapper(str(graph), force_onnx_cpu=True)


def silero_probabilities(wrapper: Any, waveform: Waveform) -> list[float]:
    """What silero's own wrapper says of each frame."""
    import torch

    padded = np.concatenate([waveform, np.zeros(-len(waveform) % 512, np.float32)])
    return [float(wrapper(torch.from_numpy(part), _RATE)) for part in padded.reshape(-1, 512)]


def _in_samples(segments: list[dict[str, float]]) -> list[tuple[int, int]]:
    return [(round(entry["start"] * _RATE), round(entry["end"] * _RATE)) for entry in segments]


def test_segments_are_those_of_the_source(package: Path, clips: Path, silero: Any) -> None:
    with load(package, engine="tiny-cpu-fp32") as model:
        for file in sorted(clips.glob("*.wav")):
            waveform = soundfile.read(file, dtype="float32")[0]
            found = _in_samples(model(file))
            assert found
            assert found == _expected(silero, waveform)
            heard = silero_probabilities(_wrapper(silero), waveform)
            np.testing.assert_allclose(model.run(file)["probabilities"], heard, atol=1e-4)
            assert _in_samples(model(file, threshold=0.8)) == _expected(silero, waveform, threshold=0.8)
        with pytest.raises(SampleError, match="between 0 and 1"):
            model(file, threshold=2.0)


def test_chunks_give_what_the_whole_recording_gives(package: Path, clips: Path) -> None:
    """Two recordings under way over one engine do not disturb one another."""
    first, second = (soundfile.read(clips / f"{index}.wav", dtype="float32")[0] for index in (0, 1))
    random = np.random.default_rng(2)
    with load(package) as model:
        whole = [model(clips / f"{index}.wav") for index in (0, 1)]
        listeners = [model.listen(), model.listen()]
        found: list[list[SpeechSegment]] = [[], []]
        positions = [0, 0]
        while any(position < len(one) for position, one in zip(positions, (first, second), strict=True)):
            for index, waveform in enumerate((first, second)):
                size = int(random.integers(1, 4000))
                found[index] += listeners[index].hear(waveform[positions[index] : positions[index] + size])
                positions[index] += size
        early = len(found[0])
        for index in (0, 1):
            found[index] += listeners[index].finish()
        assert found == whole
        assert early >= 1, "segments come before the end"
        assert list(model.listen().over(np.array_split(first, 7))) == whole[0]
        with pytest.raises(SampleError, match="is finished"):
            listeners[0].hear(first)
        with pytest.raises(SampleError, match=r"of shape \[2, 4\]"):
            model.listen().hear(np.zeros((2, 4), np.float32))


@pytest.mark.parametrize("settings", [{}, {"max_speech_seconds": 4.0}, {"pad_ms": 200.0}, {"min_silence_ms": 0.0}])
def test_segments_of_random_probabilities(silero: Any, settings: dict[str, float]) -> None:
    """What real recordings seldom have: flicker, stretches that must be cut, padding that meets."""
    names = {
        "max_speech_seconds": "max_speech_duration_s",
        "pad_ms": "speech_pad_ms",
        "min_silence_ms": "min_silence_duration_ms",
    }
    for seed in range(40):
        random = np.random.default_rng(seed)
        walk = np.cumsum(random.normal(scale=0.4, size=600))
        probabilities = (1 / (1 + np.exp(-np.clip(walk - walk.mean(), -8, 8)))).tolist()
        length = 600 * 512 - int(random.integers(0, 512))
        given = {names[name]: value for name, value in settings.items()}
        expected = silero.get_speech_timestamps_from_probs(probabilities, audio_length_samples=length, **given)
        segmenter = Segmenter(SegmentSettings(sampling_rate=_RATE, window=512, **settings))
        found = [segment for value in probabilities for segment in segmenter.push(value)] + segmenter.finish(length)
        assert found == [(entry["start"], entry["end"]) for entry in expected], seed


def test_evidence_has_f1_and_auc(package: Path) -> None:
    result = result_from_json(Package.open(package).evidence("tiny"), "evidence")
    base = result.engine(result.baseline)
    assert base.accuracy is not None
    assert list(base.accuracy.metrics) == ["frame_f1", "frame_auc"]
    assert base.accuracy.metrics["frame_f1"].value > 0.85
    assert base.accuracy.metrics["frame_auc"].value > 0.9


def test_run_verify_and_another_rate(package: Path, clips: Path, command: Command, tmp_path: Path) -> None:
    done = command("run", package, clips / "0.wav", "--json")
    assert done.code == 0, done.err
    assert set(json.loads(done.out)["answers"][0]["segments"][0]) == {"start", "end"}
    assert command("verify", package).code == 0
    soundfile.write(tmp_path / "slow.wav", soundfile.read(clips / "0.wav")[0][::2], _RATE // 2)
    outcome = command("run", package, tmp_path / "slow.wav")
    assert "has 8,000 samples per second, the model takes 16,000" in outcome.err_line
    soundfile.write(tmp_path / "long.flac", np.zeros(3601 * 100, np.float32), 100)
    command.refuses(
        "run", package, tmp_path / "long.flac", says=["lasts 60 minutes; the model takes at most 3600 seconds"]
    )


@pytest.mark.parametrize(
    ("segments", "says"),
    [
        ('[{"start": 2, "end": 1}]', "a segment from 2 to 1 seconds is not valid"),
        ('"now and then"', "segments cannot be read"),
        ("[[1]]", "segments cannot be read"),
    ],
)
def test_segments_that_are_wrong(command: Command, clips: Path, tmp_path: Path, segments: str, says: str) -> None:
    graph = unpacked_wheel("silero-vad") / "silero_vad" / "data" / "silero_vad_half.onnx"
    path = tmp_path / "data.jsonl"
    path.write_text(f'{{"audio": "{clips / "0.wav"}", "segments": {segments}}}\n')
    task = ("--task", "voice-activity-detection")
    command.refuses_build(graph, *task, "--evaluation", path, says=[f"'{path}', line 1", says])


def test_graphs_and_settings_that_do_not_fit(command: Command, clips: Path, sources: Path, tmp_path: Path) -> None:
    task = ("--task", "voice-activity-detection", "--calibration", clips)
    magika = unpacked_wheel("magika") / "magika" / "models" / "standard_v3_3" / "model.onnx"
    command.refuses_build(magika, *task, says=["a graph for voice activity takes one audio frame, its states"])
    copied = tmp_path / "vad.onnx"
    copied.write_bytes((unpacked_wheel("silero-vad") / "silero_vad/data/silero_vad_half.onnx").read_bytes())
    (tmp_path / "voice_activity_config.json").write_text('{"windows": 512}')
    command.refuses_build(
        copied, *task, says=["voice_activity_config.json' must be an object whose keys are some of:", "window"]
    )
