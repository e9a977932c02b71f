"""Settings of processors: what transformers itself saves is known, and what it would not hear of is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.processors._audio_fronts import FRONTS
from edgewright_compiler.processors._image_steps import _OF_THEIR_OWN
from edgewright_compiler.processors._known_settings import known_settings, refuse_unknown_settings
from edgewright_compiler.processors.audio import CheckpointAudio
from edgewright_compiler.processors.image import ImageProcessor
from edgewright_targets import InputError

SIZE = {"height": 20, "width": 20}
PLAIN = ["ViTImageProcessor", "CLIPImageProcessor", "SiglipImageProcessor", "BlipImageProcessor", "DeiTImageProcessor"]


@pytest.mark.parametrize("name", [*PLAIN, *_OF_THEIR_OWN, *FRONTS])
def test_what_transformers_saves_is_known(name: str) -> None:
    import transformers

    # The form that works with Pillow, where there are two.
    processor = getattr(transformers, f"{name}Pil", None) or getattr(transformers, name)
    made = processor()
    refuse_unknown_settings(made.to_dict(), known_settings(made), name, "saved")


# As they lie on the hub, written by older versions.
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("DetrImageProcessor", {"format": "coco_detection", "max_size": 1333, "feature_extractor_type": "x"}),
        ("SegformerImageProcessor", {"reduce_labels": True, "image_processor_type": "x"}),
        ("ConvNextImageProcessor", {"crop_pct": 0.875, "auto_map": {"a": "b"}, "_valid_processor_keys": ["images"]}),
        ("ViTImageProcessor", {"do_pad": None, "rotation": 0, "image_seq_length": 7, "processor_class": "x"}),
    ],
)
def test_what_older_versions_wrote_is_known(name: str, settings: Any) -> None:
    import transformers

    made = getattr(transformers, f"{name}Pil")()
    refuse_unknown_settings(settings, known_settings(made), name, "old")


def _refused(kind: Any, folder: Path, settings: dict[str, Any], says: str) -> None:
    (folder / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        kind(Checkpoint(folder, {}, ()))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"crop_pct": 0.9}, "crop_pct = 0.9, which ViTImageProcessor does not know"),
        ({"mean": [0.5, 0.5, 0.5]}, "Did you mean 'image_mean'"),
        ({"interpolation": "bicubic"}, "interpolation"),
        ({"do_normalise": True}, "Did you mean 'do_normalize'"),
    ],
)
def test_a_setting_of_a_picture_that_nobody_honours(tmp_path: Path, settings: Any, says: str) -> None:
    _refused(ImageProcessor, tmp_path, {"image_processor_type": "ViTImageProcessor", "size": SIZE, **settings}, says)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"feature_extractor_type": "Wav2Vec2FeatureExtractor", "preemphasis": 0.97}, "preemphasis = 0.97"),
        ({"feature_extractor_type": "WhisperFeatureExtractor", "num_mel_bins": 128}, "num_mel_bins = 128"),
        ({"feature_extractor_type": "WhisperFeatureExtractor", "padding_side": "left"}, "padding on the left"),
        ({"feature_extractor_type": "Speech2TextFeatureExtractor", "dither": 1.0}, "dither 1.0 adds noise"),
    ],
)
def test_a_setting_of_a_sound_that_nobody_honours(tmp_path: Path, settings: Any, says: str) -> None:
    _refused(CheckpointAudio, tmp_path, settings, says)


def test_a_processor_beside_a_file_is_read_as_that_of_a_checkpoint(tmp_path: Path) -> None:
    """In a folder `onnx` the files lie above it, and config.json says how many channels there are."""
    from edgewright_compiler.processors.image import IMAGE

    settings = {"image_processor_type": "ViTImageProcessor", "size": SIZE, "image_mean": [0.5], "image_std": [0.5]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    (tmp_path / "config.json").write_text('{"num_channels": 1}', encoding="utf-8")
    (tmp_path / "onnx").mkdir()
    beside = IMAGE.beside(tmp_path / "onnx" / "model.onnx", "image-classification")
    decode, *_ = beside.steps(("pixels",))
    assert decode.options["mode"] == "L"


def test_every_setting_of_a_generation_is_sorted() -> None:
    """A new version of transformers that has another one fails here, and somebody says what becomes of it."""
    import transformers

    from edgewright_compiler.checkpoints.generation_config import _SHARED, _UNKNOWN

    config: Any = transformers.GenerationConfig
    # Read by name; of the prompt; and what changes how tokens are found, kept or told, but not which.
    read = {
        "bad_words_ids", "begin_suppress_tokens", "early_stopping", "eos_token_id", "max_length", "pad_token_id",
        "stop_strings", "suppress_tokens",
    }  # fmt: skip
    prompt = {"bos_token_id", "decoder_start_token_id"}
    same = {
        "_from_model_config", "assistant_confidence_threshold", "assistant_early_exit", "assistant_ensemble_weight",
        "assistant_lookbehind", "cache_config", "cache_implementation", "compile_config", "continuous_batching_config",
        "disable_compile", "is_assistant", "low_memory", "max_cache_len", "max_matching_ngram_size",
        "num_assistant_tokens", "num_assistant_tokens_schedule", "output_attentions", "output_hidden_states",
        "output_logits", "output_scores", "prefill_chunk_size", "prompt_lookup_num_tokens", "return_dict_in_generate",
        "speculation_type", "target_lookbehind", "transformers_version", "use_cache", "use_mtp",
    }  # fmt: skip
    assert set(vars(config())) - {*_SHARED, *_UNKNOWN} - read - prompt - same == set()


@pytest.mark.parametrize("settings", [{"max_time": 2.0}, {"remove_invalid_values": True}])
def test_a_setting_of_a_generation_that_cannot_be_done(settings: Any) -> None:
    import transformers

    from edgewright_compiler.checkpoints.generation_config import generation_settings

    config: Any = transformers.GenerationConfig
    ((name, value),) = settings.items()
    with pytest.raises(InputError, match=f"{name} = {value}"):
        generation_settings(config(**settings), 0, Path("gpt"))
