"""Speech2Text: Kaldi's filter banks as its extractor makes them, and the transcripts of `generate`."""

import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_speech
from command import QUICK, Command, run_apart
from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.processors.audio import CheckpointAudio
from edgewright_runtime import SampleError, load
from edgewright_runtime.steps.audio.filter_bank import SHORTEST, FilterBank
from edgewright_targets import InputError
from real_audio import recordings


def opened(folder: Path, config: dict[str, Any] | None = None, **options: Any) -> CheckpointAudio:
    transformers: Any = importlib.import_module("transformers")
    transformers.Speech2TextFeatureExtractor(**options).save_pretrained(folder)
    return CheckpointAudio(Checkpoint(folder, config or {}, ()))


def by_step(processor: CheckpointAudio, waveform: Any) -> Any:
    (spec,) = processor.steps(["input_features"])[1:]
    return FilterBank(**spec.options)({"waveform": waveform})["input_features"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"do_ceptral_normalize": False},
        {"normalize_vars": False},
        {"normalize_means": False, "num_mel_bins": 40, "feature_size": 40},
    ],
)
def test_filter_banks_of_real_speech_are_the_extractors(options: dict[str, Any], tmp_path: Path) -> None:
    processor = opened(tmp_path, **options)
    for _, waveform in list(recordings())[:: 1 if not options else 6]:
        theirs = processor.feeds(waveform)["input_features"]
        mine = by_step(processor, waveform)
        assert mine.shape == theirs.shape
        assert mine.dtype == theirs.dtype == np.float32
        assert np.abs(mine - theirs).max() < 1e-4


def test_the_shortest_waveform_has_two_frames_and_silence_is_a_number(tmp_path: Path) -> None:
    processor = opened(tmp_path)
    short = tiny_speech.sound(1)[:SHORTEST]
    assert np.abs(by_step(processor, short) - processor.feeds(short)["input_features"]).max() < 1e-4
    assert by_step(processor, short).shape == (1, 2, 80)
    assert np.abs(by_step(processor, np.zeros(8000, np.float32))).max() < 1e-5


def test_as_much_is_heard_as_the_model_has_positions_for(tmp_path: Path) -> None:
    front = opened(tmp_path, {"max_source_positions": 50, "num_conv_layers": 2}).front
    # 200 frames of 25 ms, one each 10 ms.
    assert front.longest == 400 + 199 * 160
    assert opened(tmp_path, {"max_source_positions": 6000}).front.longest == 60 * tiny_speech.RATE
    with pytest.raises(InputError, match=r"dither 1\.0 adds noise"):
        opened(tmp_path, dither=1.0)
    with pytest.raises(InputError, match="8,000 samples a second"):
        opened(tmp_path, sampling_rate=8000)


@pytest.mark.slow
def test_transcripts_are_those_of_generate(
    sources: Path, spoken_clips: Path, shared_cache: Path, tmp_path: Path, command: Command
) -> None:
    import torch

    transformers: Any = importlib.import_module("transformers")
    checkpoint = tiny_speech.write_speech2text(tmp_path / "s2t")
    package = tmp_path / "s2t.ortpackage"
    data = ("--calibration", spoken_clips, "--evaluation", spoken_clips.parent, "--accept-baseline")
    done = run_apart(
        "build", checkpoint, *data, "--target", sources / "tiny.toml", "-o", package, *QUICK, cache=shared_cache
    )
    assert done.code == 0, done.err
    assert command("verify", package).code == 0
    extractor = transformers.AutoFeatureExtractor.from_pretrained(checkpoint)
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    network = transformers.Speech2TextForConditionalGeneration.from_pretrained(checkpoint).eval()
    waveforms = [waveform for _, waveform in recordings()][::3]
    with load(package, engine="tiny-cpu-fp32") as model:
        for options in ({}, {"num_beams": 2, "max_new_tokens": 8}):
            mine = [model(waveform, **options) for waveform in waveforms]
            theirs = []
            for waveform in waveforms:
                made = extractor(waveform, sampling_rate=tiny_speech.RATE, return_tensors="pt")
                with torch.no_grad(), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    (tokens,) = network.generate(made.input_features, attention_mask=made.attention_mask, **options)
                theirs.append(tokenizer.decode(tokens, skip_special_tokens=True).strip())
            assert mine == theirs
            assert len(set(mine)) > len(mine) / 2
            assert model(waveforms, batch_size=3, **options) == mine
        with pytest.raises(SampleError, match=r"takes at most 8\.015 seconds"):
            model(tiny_speech.sound(0, seconds=9))
        with pytest.raises(SampleError, match="no option 'timestamps'"):
            model(waveforms[0], timestamps=True)
