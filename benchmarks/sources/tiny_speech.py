"""Tiny speech models and recordings, made in code; weights are random, of a named seed."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

_SEED = 7
RATE = 16_000
TOKENS = ("<pad>", "<s>", "</s>", "<unk>", "|", *"ETAOINSHRDLUMWCFGYPBVK'XJQZ")
WORDS = ("turn", "on", "the", "light", "off", "stop")
LABELS = ("low", "middle", "high")


# What the kin of Wav2Vec2 need beside the common sizes to be as tiny.
FAMILIES: dict[str, dict[str, Any]] = {
    "Wav2Vec2": {},
    "Hubert": {},
    "WavLM": {},
    "SEW": {"squeeze_factor": 2, "conv_kernel": (10, 3, 3, 3, 3, 2, 2), "conv_stride": (5, 2, 2, 2, 2, 2, 2)},
    "Wav2Vec2Conformer": {"conv_depthwise_kernel_size": 7},
}


def _config(kind: Any, **changes: Any) -> Any:
    # Small convolutions in front; the strides are those of the real models, 320 samples a frame.
    fields = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "conv_dim": (16,) * 7,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 2,
        "initializer_range": 0.5,
    }
    return kind(**fields | changes)


def write_speech_checkpoint(folder: Path, *, model: str = "Wav2Vec2", large: bool = False) -> Path:
    """A CTC model with its processor, as `save_pretrained` writes them; `model` is one of `FAMILIES`.

    `large` is built as the large models are: layer norms throughout, and an attention mask in its source's processor.
    """
    import torch

    transformers: Any = importlib.import_module("transformers")

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(TOKENS)}))
    made = transformers.Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))
    extractor = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=large)
    transformers.Wav2Vec2Processor(feature_extractor=extractor, tokenizer=made).save_pretrained(folder)
    torch.manual_seed(_SEED)
    norms = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True} if large else {}
    config = _config(
        getattr(transformers, f"{model}Config"), vocab_size=len(TOKENS), pad_token_id=0, **FAMILIES[model], **norms
    )
    network = getattr(transformers, f"{model}ForCTC")(config)
    # Larger than the default, so that the transcripts of different recordings differ.
    torch.nn.init.normal_(network.lm_head.weight, std=1.0)
    network.save_pretrained(folder)
    return folder


WHISPER_SECONDS = 2


LANGUAGES = ("en", "de", "fr")
_NAMED = ("<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in LANGUAGES), "<|translate|>",
          "<|transcribe|>", "<|nospeech|>", "<|notimestamps|>")  # fmt: skip


def write_whisper(folder: Path, **generation: Any) -> Path:
    """A Whisper of three languages that hears two seconds at a time, with its byte-level tokenizer.

    `generation` are settings of it. Tokens are in the order of the real ones: words, the end, what is said about them,
    times.
    """
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    transformers: Any = importlib.import_module("transformers")

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator([" ".join(WORDS)] * 8, trainer)
    made.add_special_tokens(list(_NAMED))
    times = [f"<|{0.02 * index:.2f}|>" for index in range(50 * WHISPER_SECONDS + 1)]
    made.add_tokens([AddedToken(name, special=False) for name in times])
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token=_NAMED[0], additional_special_tokens=list(_NAMED[1:])
    )
    number = {name: int(fast.convert_tokens_to_ids(name)) for name in _NAMED}
    end, start = number["<|endoftext|>"], number["<|startoftranscript|>"]
    config = transformers.WhisperConfig(
        vocab_size=len(fast),
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_source_positions=50 * WHISPER_SECONDS,
        max_target_positions=20,
        init_std=0.3,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=start,
    )
    torch.manual_seed(_SEED)
    network = transformers.WhisperForConditionalGeneration(config)
    settings = {
        "suppress_tokens": [1, 2, 5, *(token for token in number.values() if token != end)],
        "begin_suppress_tokens": [6, end],
        "no_timestamps_token_id": number["<|notimestamps|>"],
        "max_initial_timestamp_index": 50,
        "is_multilingual": True,
        "lang_to_id": {f"<|{code}|>": number[f"<|{code}|>"] for code in LANGUAGES},
        "task_to_id": {task: number[f"<|{task}|>"] for task in ("transcribe", "translate")},
        "max_length": 20,
    }
    special = {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end, "decoder_start_token_id": start}
    # A new one: the model's own says that it is made from the configuration, and would be again.
    network.generation_config = transformers.GenerationConfig(**special | settings | generation)
    network.save_pretrained(folder)
    transformers.WhisperFeatureExtractor(chunk_length=WHISPER_SECONDS).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def write_speech2text(folder: Path) -> Path:
    """A Speech2Text, which hears Kaldi's filter banks, with a tokenizer of the fast kind; weights are random."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    transformers: Any = importlib.import_module("transformers")

    # No trainer: that of unigrams finds other pieces in every run.
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    words = [f"\u2581{word}" for word in WORDS]
    parts = sorted({word[at : at + size] for word in words for size in (1, 2, 3) for at in range(len(word) - size + 1)})
    pieces = [*((word, -3.0) for word in words), *((part, -6.0) for part in parts if part not in words)]
    made = Tokenizer(models.Unigram([*((token, 0.0) for token in special), *pieces], unk_id=special.index("<unk>")))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    made.add_special_tokens(special)
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    torch.manual_seed(_SEED)
    config = transformers.Speech2TextConfig(
        vocab_size=len(fast),
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        conv_channels=32,
        max_source_positions=200,
        max_target_positions=24,
        init_std=0.3,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
    )
    network = transformers.Speech2TextForConditionalGeneration(config)
    network.generation_config.update(max_length=24)
    network.save_pretrained(folder)
    transformers.Speech2TextFeatureExtractor().save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def no_times(folder: Path) -> list[int]:
    """The tokens that a Whisper never writes, times among them: untrained, it would write them without being asked."""
    settings = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    first = settings["no_timestamps_token_id"] + 1
    return [*settings["suppress_tokens"], *range(first, first + 50 * WHISPER_SECONDS + 1)]


def write_audio_classifier(folder: Path, *, kind: str = "Wav2Vec2") -> Path:
    """A classifier of sounds: on samples (`Wav2Vec2`), or on Whisper's log-mel spectrogram (`Whisper`)."""
    import torch

    transformers: Any = importlib.import_module("transformers")

    names = {"id2label": dict(enumerate(LABELS)), "label2id": {name: index for index, name in enumerate(LABELS)}}
    torch.manual_seed(_SEED)
    network: Any
    if kind == "Whisper":
        sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
        heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "vocab_size": 64, "pad_token_id": 0}
        special = {"bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
        config = transformers.WhisperConfig(**sizes, **heads, **special, classifier_proj_size=8, **names)
        network = transformers.WhisperForAudioClassification(config)
        transformers.WhisperFeatureExtractor().save_pretrained(folder)
    else:
        network = transformers.Wav2Vec2ForSequenceClassification(
            _config(transformers.Wav2Vec2Config, classifier_proj_size=8, **names)
        )
        transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)
    network.save_pretrained(folder)
    return folder


def write_speakers(folder: Path) -> Path:
    """A model of x-vectors with its feature extractor, as `save_pretrained` writes them."""
    import torch

    transformers: Any = importlib.import_module("transformers")

    torch.manual_seed(_SEED)
    layers = {"tdnn_dim": (16, 16), "tdnn_kernel": (3, 1), "tdnn_dilation": (1, 1), "xvector_output_dim": 12}
    network = transformers.Wav2Vec2ForXVector(_config(transformers.Wav2Vec2Config, classifier_proj_size=8, **layers))
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)
    network.eval().save_pretrained(folder)
    return folder


def sound(index: int, *, rate: int = RATE, seconds: float | None = None) -> np.ndarray[Any, Any]:
    """A tone that wavers in noise; another one for each `index`, between half a second and one."""
    random = np.random.default_rng(index)
    seconds = 0.5 + 0.5 * random.random() if seconds is None else seconds
    time = np.arange(int(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * (200 + 60 * index) * time + 3 * np.sin(2 * np.pi * 3 * time))
    made: np.ndarray[Any, Any] = (0.3 * tone + 0.05 * random.normal(size=time.size)).astype(np.float32)
    return made


def write_recordings(folder: Path, count: int = 12, *, rate: int = RATE) -> Path:
    """`metadata.csv` with the columns `audio,text`, and the recordings that it names; gives the table."""
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    lines = ["audio,text"]
    for index in range(count):
        soundfile.write(folder / "clips" / f"{index:03}.wav", sound(index, rate=rate), rate)
        lines.append(f"clips/{index:03}.wav,{' '.join(WORDS[(index + k) % len(WORDS)] for k in range(1 + index % 4))}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "metadata.csv"


def write_sound_classes(folder: Path, count: int = 4) -> Path:
    """A folder of recordings for each of `LABELS`."""
    for label, name in enumerate(LABELS):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            soundfile.write(folder / name / f"{index:03}.flac", sound(20 * label + index), RATE)
    return folder
