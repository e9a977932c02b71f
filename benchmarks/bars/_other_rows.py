"""Rows of sound, of pictures with texts, and of graphs without a task: sources, and what their own libraries answer."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import opset_graphs
import tiny_pairs
import tiny_speech
from _row import SAMPLES, Made, Row
from _text_rows import table
from edgewright_runtime.steps.audio_file import AudioReader
from fetched import wheel_files

RANDOM = "random weights"
_SPEECH, _ZERO_SHOT = "automatic-speech-recognition", "zero-shot-image-classification"
_RATE = tiny_speech.RATE


def _clips(folder: Path) -> tuple[Path, list[str]]:
    data = tiny_speech.write_recordings(folder / "data")
    return data, [str(file) for file in sorted((folder / "data" / "clips").iterdir())[:SAMPLES]]


def _waveforms(made: Made) -> list[Any]:
    read = AudioReader(sampling_rate=_RATE, longest=30 * _RATE)
    return [read(sample) for sample in made.samples]


def _ctc(folder: Path) -> Made:
    data, files = _clips(folder)
    return Made(str(tiny_speech.write_speech_checkpoint(folder / "source")), data, files)


def _spelt(made: Made) -> list[Any]:
    import torch

    transformers: Any = importlib.import_module("transformers")
    processor = transformers.AutoProcessor.from_pretrained(made.spec)
    network = transformers.AutoModelForCTC.from_pretrained(made.spec).eval()
    answers: list[Any] = []
    with torch.no_grad():
        for waveform in _waveforms(made):
            feeds = processor(waveform, sampling_rate=_RATE, return_tensors="pt")
            answers += processor.batch_decode(network(**feeds).logits.argmax(dim=-1))
    return answers


def _whisper(folder: Path) -> Made:
    data, files = _clips(folder)
    return Made(str(tiny_speech.write_whisper(folder / "source")), data, files)


def _heard(made: Made) -> list[Any]:
    import torch

    transformers: Any = importlib.import_module("transformers")
    extractor = transformers.AutoFeatureExtractor.from_pretrained(made.spec)
    network = transformers.WhisperForConditionalGeneration.from_pretrained(made.spec).eval()
    end = network.generation_config.eos_token_id
    answers = []
    with torch.no_grad():
        for waveform in _waveforms(made):
            features = extractor(waveform, sampling_rate=_RATE, return_tensors="pt").input_features
            tokens = network.generate(features)[0].tolist()
            start = network.generation_config.decoder_start_token_id
            answers.append([token for token in tokens if token not in (start, end)])
    return answers


def _sounds(folder: Path) -> Made:
    data = tiny_speech.write_sound_classes(folder / "sounds")
    files = [str(file) for file in sorted(data.rglob("*.flac"))[::2]]
    return Made(str(tiny_speech.write_audio_classifier(folder / "source")), data, files)


def _sound_class(made: Made) -> list[Any]:
    import torch

    transformers: Any = importlib.import_module("transformers")
    extractor = transformers.AutoFeatureExtractor.from_pretrained(made.spec)
    network = transformers.AutoModelForAudioClassification.from_pretrained(made.spec).eval()
    answers = []
    with torch.no_grad():
        for waveform in _waveforms(made):
            shares = network(**extractor(waveform, sampling_rate=_RATE, return_tensors="pt")).logits[0].softmax(-1)
            place = int(shares.argmax())
            answers.append([{"label": network.config.id2label[place], "score": float(shares[place])}])
    return answers


def _silero_file() -> Path:
    return wheel_files("silero-vad") / "silero_vad" / "data" / "silero_vad_16k_op15.onnx"


def _voice(folder: Path) -> Made:
    graph = _silero_file()
    data, files = _clips(folder)
    rows = [(f"clips/{Path(file).name}",) for file in files]
    return Made(str(graph), table(data.parent / "voice.csv", ("audio",), rows), files, unlabelled=True)


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
        wrapper = silero.OnnxWrapper(str(_silero_file()), force_onnx_cpu=True)
    found = [silero.get_speech_timestamps(torch.from_numpy(one), wrapper) for one in _waveforms(made)]
    return [[{key: one[key] / _RATE for key in ("start", "end")} for one in segments] for segments in found]


def _dual(kind: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        data = tiny_pairs.write_pairs(folder / "data")
        files = [str(file) for file in sorted(data.parent.glob("*.png"))[:SAMPLES]]
        return Made(str(tiny_pairs.write_dual(folder / "source", kind)), data, files, labels=tiny_pairs.LABELS)

    return make


def _chosen(made: Made) -> list[Any]:
    transformers: Any = importlib.import_module("transformers")
    pipe = transformers.pipeline(
        _ZERO_SHOT,
        model=transformers.AutoModel.from_pretrained(made.spec),
        tokenizer=transformers.AutoTokenizer.from_pretrained(made.spec),
        image_processor=transformers.AutoImageProcessor.from_pretrained(made.spec, backend="pil"),
    )
    found = [pipe(file, candidate_labels=list(made.labels or ())) for file in made.samples]
    return [[{"label": one[0]["label"], "score": float(one[0]["score"])}] for one in found]


def _blip(kind: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        data = tiny_pairs.write_pairs(folder / "data")
        source = str(tiny_pairs.write_blip(folder / "source", kind))
        files = sorted(data.parent.glob("*.png"))[:SAMPLES]
        if kind == "ForQuestionAnswering":
            asked = "what colour is it?"
            rows = [(file.name, asked, file.name.partition("-")[0]) for file in files]
            samples: list[Any] = [{"image": str(file), "question": asked} for file in files]
            return Made(source, table(data.parent / "asked.csv", ("image", "question", "answers"), rows), samples)
        if kind == "ForImageTextRetrieval":
            texts = ["a red patch" if index % 2 else "a blue patch" for index in range(len(files))]
            rows = [
                (file.name, text, "match" if text.split()[1] in file.name else "other")
                for file, text in zip(files, texts, strict=True)
            ]
            samples = [{"image": str(file), "text": text} for file, text in zip(files, texts, strict=True)]
            return Made(source, table(data.parent / "pairs2.csv", ("image", "text", "label"), rows), samples)
        return Made(source, data, [str(file) for file in files])

    return make


def _told(kind: str) -> Callable[[Made], list[Any]]:
    def theirs(made: Made) -> list[Any]:
        import torch

        transformers: Any = importlib.import_module("transformers")
        images = transformers.AutoImageProcessor.from_pretrained(made.spec, backend="pil")
        words = transformers.AutoTokenizer.from_pretrained(made.spec)
        network = getattr(transformers, f"Blip{kind}").from_pretrained(made.spec).eval()
        answers: list[Any] = []
        for sample in made.samples:
            given = sample if isinstance(sample, dict) else {"image": sample}
            with Image.open(given["image"]) as picture:
                feeds = {"pixel_values": images(picture.convert("RGB"), return_tensors="pt").pixel_values}
            for text in (given[name] for name in ("question", "text") if name in given):
                encoded = words(text, return_tensors="pt")
                feeds |= {name: encoded[name] for name in ("input_ids", "attention_mask")}
            with torch.no_grad():
                if kind == "ForImageTextRetrieval":
                    matched, cosine = (network(**feeds, use_itm_head=head).itm_score for head in (True, False))
                    answers.append({"score": float(matched.softmax(dim=1)[0, 1]), "cosine": float(cosine)})
                else:
                    answers.append(network.generate(**feeds)[0].tolist()[1:])
        return answers

    return theirs


def _magika(folder: Path) -> Made:
    graph = wheel_files("magika") / "magika" / "models" / "standard_v3_3" / "model.onnx"
    random = np.random.default_rng(1)
    rows = random.integers(0, 257, (24, 2048)).astype(np.int32)
    return _graph(folder, graph, {"bytes": rows})


def _graph(folder: Path, graph: Path, arrays: dict[str, Any]) -> Made:
    np.savez(folder / "data.npz", **arrays)
    samples = []
    for index in range(SAMPLES):
        np.savez(folder / f"{index}.npz", **{name: value[index : index + 1] for name, value in arrays.items()})
        samples.append({"arrays": str(folder / f"{index}.npz")})
    return Made(str(graph), folder / "data.npz", samples, unlabelled=True)


def _opset(opset: int) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        return _graph(folder, opset_graphs.write_graph(folder / "graph.onnx", opset), opset_graphs.samples(SAMPLES))

    return make


def _as_the_file(made: Made) -> list[Any]:
    """What a session of the file itself gives, without Edgewright."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(made.spec, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    ranks = {entry.name: len(entry.shape) for entry in session.get_inputs()}
    answers = []
    for sample in made.samples:
        with np.load(sample["arrays"]) as file:
            feeds = {name: value.reshape(()) if not ranks[name] else value for name, value in file.items()}
        answers.append(dict(zip(names, session.run(names, feeds), strict=True)))
    return answers


_BLIPS = {
    "captioning": ("image-to-text", "ForConditionalGeneration", "tokens"),
    "questions": ("visual-question-answering", "ForQuestionAnswering", "tokens"),
    "matching": ("image-text-matching", "ForImageTextRetrieval", "score"),
}
ROWS = (
    Row("wav2vec2-ctc", _SPEECH, RANDOM, _ctc, _spelt, "transcript"),
    Row("whisper-tiny", _SPEECH, RANDOM, _whisper, _heard, "tokens"),
    Row("sounds", "audio-classification", RANDOM, _sounds, _sound_class, "label"),
    Row("silero-vad", "voice-activity-detection", "silero-vad 6.2.3, ONNX", _voice, _segments, "segments"),
    *(Row(kind, _ZERO_SHOT, RANDOM, _dual(kind), _chosen, "label") for kind in ("clip", "siglip")),
    *(
        Row(f"blip-{name}", task, RANDOM, _blip(kind), _told(kind), compared)
        for name, (task, kind, compared) in _BLIPS.items()
    ),
    Row("magika", "arrays", "magika 1.0.3, ONNX", _magika, _as_the_file, "arrays"),
    *(
        Row(f"onnx-opset-{opset}", "arrays", RANDOM, _opset(opset), _as_the_file, "arrays")
        for opset in opset_graphs.OPSETS
    ),
)
