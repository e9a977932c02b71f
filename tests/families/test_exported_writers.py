"""Encoder-decoders as optimum exports them, against what transformers writes: texts, and transcripts of real speech."""

from __future__ import annotations

import importlib
import itertools
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import onnx_ir
import pytest
import torch

import tiny_exports
import tiny_speech
import tiny_writers
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_compiler.graphs.exported import load_graph, ports_of
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import Model, load
from edgewright_targets import InputError
from real_audio import recordings
from tiny_writers import FAMILIES, TEXTS, TRANSLATIONS

# Each exports with torch and compares with the files.
pytestmark = pytest.mark.slow

MARIAN, _, T5 = FAMILIES
WHISPER = "WhisperForConditionalGeneration"


def drafted(folder: Path, data: Path, sources: Path) -> Model:
    """The package of a folder; the scores of its loop, one token after the other, are compared with the files' own."""
    output = data.parent / f"{folder.name}.ortpackage"
    options = BuildOptions(output=output, evaluation=data, targets=(str(sources / "tiny.toml"),))
    (job,) = read_jobs(str(folder), options)
    draft_package(job, output, StageCache(), Quiet())
    return load(output, engine="tiny-cpu-fp32")


@pytest.mark.parametrize(("kind", "merged"), [(MARIAN, False), (MARIAN, True), (T5, True)])
def test_texts(kind: str, merged: bool, sources: Path, tmp_path: Path) -> None:
    checkpoint = tiny_writers.write_writer(tmp_path / "checkpoint", kind, num_beams=2, max_length=12)
    folder = tiny_exports.write_encoder_decoder(tmp_path / "exported", checkpoint, kind)
    if merged:
        tiny_exports.merge_decoders(folder)
    # Quantized forms beside them are left alone.
    shutil.copy(folder / "encoder_model.onnx", folder / "encoder_model_quantized.onnx")
    data = tmp_path / "pairs.jsonl"
    rows = zip(TEXTS, TRANSLATIONS, strict=True)
    data.write_text("\n".join(json.dumps({"text": a, "translation": b}) for a, b in rows), encoding="utf-8")
    transformers: Any = importlib.import_module("transformers")
    whole = getattr(transformers, kind).from_pretrained(checkpoint)
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    words = next(iter(tiny_writers.PREFIXES.values())) if kind == T5 else ""
    with drafted(folder, data, sources) as model:
        assert model.manifest.task == "translation"
        for text in TEXTS[:4]:
            for beams in (1, 2):
                feeds = tokenizer(words + text, return_tensors="pt", truncation=True)
                feeds.pop("token_type_ids", None)
                made = whole.generate(**feeds, num_beams=beams)
                assert model(text, num_beams=beams) == tokenizer.decode(made[0], skip_special_tokens=True)
    (folder / "encoder_model.onnx").rename(folder / "encoder_model_fp16.onnx")
    with pytest.raises(InputError, match=r"encoder_model\.onnx and decoder_model_merged\.onnx are needed"):
        open_source(str(folder), SourceOptions())


@pytest.mark.parametrize("merged", [False, True])
def test_transcripts(merged: bool, tiny_whisper: Path, sources: Path, tmp_path: Path) -> None:
    folder = tiny_exports.write_encoder_decoder(tmp_path / "whisper", tiny_whisper, WHISPER)
    if merged:
        tiny_exports.merge_decoders(folder)
    limit = tiny_speech.RATE * tiny_speech.WHISPER_SECONDS
    waveforms = [waveform[:limit] for _, waveform in itertools.islice(recordings(), 0, 18, 4)]
    transformers: Any = importlib.import_module("transformers")
    extractor = transformers.AutoFeatureExtractor.from_pretrained(tiny_whisper)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_whisper)
    network = transformers.WhisperForConditionalGeneration.from_pretrained(tiny_whisper).eval()
    times = tiny_speech.no_times(tiny_whisper)
    data = tiny_speech.write_recordings(tmp_path / "clips", 3)
    with drafted(folder, data, sources) as model, torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert model.manifest.task == "automatic-speech-recognition"
        for waveform in waveforms:
            features = extractor(waveform, sampling_rate=tiny_speech.RATE, return_tensors="pt").input_features
            (tokens,) = network.generate(features, suppress_tokens=times)
            assert model(waveform, suppress_tokens=times) == tokenizer.decode(tokens, skip_special_tokens=True).strip()


def test_positions_that_the_decoder_is_told(tiny_whisper: Path, tmp_path: Path) -> None:
    """Whisper of transformers 4.43 to 4.45 takes them as an input; the graph of a package counts them."""
    folder = tiny_exports.write_encoder_decoder(tmp_path / "whisper", tiny_whisper, WHISPER)
    path = folder / "decoder_with_past_model.onnx"
    model = onnx_ir.load(path)
    told = onnx_ir.Value(
        name="cache_position", shape=onnx_ir.Shape(["new"]), type=onnx_ir.TensorType(onnx_ir.DataType.INT64)
    )
    model.graph.inputs.append(told)
    # Read, so that it is not left out as one that nothing reads.
    cast = onnx_ir.node("Cast", [told], {"to": 1})
    zero = onnx_ir.val("zero", const_value=onnx_ir.tensor([0.0], name="zero"))
    model.graph.register_initializer(zero)
    nothing = onnx_ir.node("Mul", [cast.outputs[0], zero])
    logits = model.graph.outputs[0]
    last = logits.producer()
    assert last is not None
    logits.name, name = "before", logits.name
    total = onnx_ir.node("Add", [logits, nothing.outputs[0]])
    model.graph.extend([cast, nothing, total])
    total.outputs[0].name, total.outputs[0].type = name, logits.type
    model.graph.outputs[0] = total.outputs[0]
    onnx_ir.save(model, path)
    (tmp_path / "made").mkdir()
    open_source(str(folder), SourceOptions()).export(tmp_path / "made")
    decoder = load_graph(tmp_path / "made" / "decoder")
    assert "cache_position" not in ports_of(decoder).inputs
    assert "Range" in {node.op_type for node in decoder.graph}


def test_graphs_that_do_not_belong_together(tiny_whisper: Path, tmp_path: Path) -> None:
    folder = tiny_exports.write_encoder_decoder(tmp_path / "whisper", tiny_whisper, WHISPER)
    # A decoder of both kinds without the input that chooses.
    shutil.copy(folder / "decoder_model.onnx", folder / "decoder_model_merged.onnx")
    (folder / "decoder_with_past_model.onnx").unlink()
    (tmp_path / "made").mkdir()
    with pytest.raises(InputError, match="it has no input 'use_cache_branch'"):
        open_source(str(folder), SourceOptions()).export(tmp_path / "made")
    (folder / "decoder_model_merged.onnx").unlink()
    with pytest.raises(InputError, match=r"decoder_model_merged\.onnx are needed"):
        open_source(str(folder), SourceOptions())
    source = open_source(str(folder / "encoder_model.onnx"), SourceOptions())
    assert source.task == "arrays"
    (note,) = source.notes
    assert "is a part of a model for automatic-speech-recognition" in note
    assert str(folder) in note
