"""Models of several graphs that a file declares: streams, windows, a state; and declarations that are wrong."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile

from command import QUICK, Command, run_apart
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.result_files import result_from_json
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_runtime import Package, load
from edgewright_runtime.errors import SampleError
from real_audio import recordings
from real_models import unpacked_wheel
from tiny_pipelines import DECLARATION, by_hand, write_clips, write_pipeline


@pytest.fixture(scope="module")
def declaration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do not write into its folder."""
    folder = tmp_path_factory.mktemp("declared") / "model"
    write_clips(folder.parent / "clips")
    return write_pipeline(folder)


@pytest.fixture(scope="module")
def clips(declaration: Path) -> list[Path]:
    return sorted((declaration.parent.parent / "clips").glob("*.wav"))


@pytest.fixture(scope="module")
def package(declaration: Path, clips: list[Path], sources: Path, shared_cache: Path) -> Path:
    out = declaration.parent.parent / "p"
    data = clips[0].parent / "clips.csv"
    fixed = ("--target", sources / "tiny.toml", *QUICK, "--max-drop", "50%")
    done = run_apart(
        "build", declaration, *fixed, "--calibration", data, "--evaluation", data, "-o", out, cache=shared_cache
    )
    assert done.code == 0, done.err
    return out


@pytest.mark.slow
def test_scores_are_those_computed_by_hand(package: Path, clips: list[Path]) -> None:
    with load(package, engine="tiny-cpu-fp32") as model:
        for file in clips:
            outputs = model.run(file)["outputs"]
            expected = by_hand(soundfile.read(file, dtype="float32")[0])
            assert set(outputs) == set(expected)
            for name, scores in expected.items():
                assert outputs[name].shape == scores.shape
                np.testing.assert_allclose(outputs[name], scores, atol=1e-5)


@pytest.mark.slow
def test_answers_are_the_highest_scores_and_the_moments(package: Path, clips: list[Path]) -> None:
    with load(package) as model:
        values = model.run(clips[0])
        scores = np.concatenate([values["outputs"]["both"], values["outputs"]["change"]], axis=1)
        # One level for the first 80 samples, and two for each 80 after them.
        ends = np.concatenate([[0.08], np.repeat(np.arange(2, 16) * 0.08, 2)])
        for threshold in (0.6, 0.9):
            answer = model(clips[0], threshold=threshold)
            assert [entry["score"] for entry in answer] == sorted((entry["score"] for entry in answer), reverse=True)
            for entry in answer:
                column = scores[:, ["loud", "soft", "louder"].index(entry["label"])]
                assert entry["score"] == pytest.approx(column[ends >= 0.15].max())
                moments, until = [], 0.0
                for end, score in zip(ends, column, strict=True):
                    if end >= 0.15 and score >= threshold and end >= until:
                        moments.append((pytest.approx(end), pytest.approx(score)))
                        until = end + 0.2 - 1e-9
                assert [(found["time"], found["score"]) for found in entry["detections"]] == moments
        with pytest.raises(SampleError, match="between 0 and 1"):
            model(clips[0], threshold=1.5)


@pytest.mark.slow
def test_chunks_give_what_the_whole_recording_gives(package: Path, clips: list[Path]) -> None:
    """Two recordings under way over one engine do not disturb one another; chunks may be empty or tiny."""
    random = np.random.default_rng(3)
    waveforms = [soundfile.read(file, dtype="float32")[0] for file in clips[:2]]
    with load(package) as model:
        wholes = [model(file) for file in clips[:2]]
        listeners: list[Any] = [model.listen(), model.listen()]
        found: list[list[Any]] = [[], []]
        position = 0
        while position < 1200:
            size = int(random.integers(0, 50))
            for index, waveform in enumerate(waveforms):
                found[index] += listeners[index].hear(waveform[position : position + size])
            position += size
        for index, whole in enumerate(wholes):
            assert found[index] + listeners[index].finish() == _in_order(whole)
            assert dict(zip(("loud", "soft", "louder"), listeners[index].highest, strict=True)) == {
                entry["label"]: entry["score"] for entry in whole
            }
        assert any(found)
        with pytest.raises(SampleError, match="is finished"):
            listeners[0].hear(waveforms[0])
        # Nothing was scored: that is not detection, and no failure.
        short = model(waveforms[0][:40])
    assert [(entry["score"], entry["detections"]) for entry in short] == [(0.0, [])] * 3


def _in_order(answer: list[dict[str, Any]]) -> list[dict[str, Any]]:
    labels = ["loud", "soft", "louder"]
    found = [{"label": entry["label"], **moment} for entry in answer for moment in entry["detections"]]
    return sorted(found, key=lambda moment: (moment["time"], labels.index(moment["label"])))


@pytest.mark.slow
def test_evidence_has_f1_and_auc(package: Path) -> None:
    result = result_from_json(Package.open(package).evidence("tiny"), "evidence")
    base = result.engine(result.baseline)
    assert base.accuracy is not None
    assert list(base.accuracy.metrics) == ["f1", "auc"]
    assert result.engine("tiny-cpu-int8").accuracy is not None


@pytest.mark.slow
def test_an_engine_spans_the_graphs_and_keeps_float_where_it_is_said(
    declaration: Path, package: Path, clips: list[Path], sources: Path, tmp_path: Path
) -> None:
    del package  # its stages are in the cache
    data = clips[0].parent / "clips.csv"
    options = BuildOptions(output=tmp_path / "p", targets=(str(sources / "tiny.toml"),), calibration=data)
    (job,) = read_jobs(str(declaration), options)
    draft_package(job, tmp_path / "draft", StageCache(), Quiet())
    engine = Package.open(tmp_path / "draft").manifest.engines["tiny-cpu-int8"]
    assert set(engine.parts) == {"levels", "memory", "both", "change"}
    assert {name: recipe.method for name, recipe in engine.component_recipes.items()} == {"levels": "float"}
    assert engine.recipe.method == "static"
    operators = {
        name: {node.op_type for node in onnx.load(tmp_path / "draft" / name / engine.name / "model.onnx").graph.node}
        for name in ("levels", "both")
    }
    assert "DequantizeLinear" in operators["both"]
    assert "DequantizeLinear" not in operators["levels"]


_SILERO = """\
task = "keyword-spotting"
sampling_rate = 16000
labels = ["speech"]
scores = ["voice"]
[component.voice]
file = "silero.onnx"
state = { stateN = "state" }
constants = { sr = 16000 }
[component.voice.inputs.input]
stream = "audio"
window = 576
hop = 512
before = 64
"""


def test_a_graph_with_a_state_and_a_constant_of_somebody_else(sources: Path, tmp_path: Path) -> None:
    """silero-vad, declared: the probabilities of its frames are those of its own loop, written by hand."""
    graph = unpacked_wheel("silero-vad") / "silero_vad" / "data" / "silero_vad_16k_op15.onnx"
    shutil.copyfile(graph, tmp_path / "silero.onnx")
    (tmp_path / "silero.toml").write_text(_SILERO)
    text = (sources / "tiny.toml").read_text()
    (tmp_path / "float.toml").write_text(text[: text.rindex("[[candidate]]")])
    file, waveform = next(recordings())
    (tmp_path / "clips").mkdir()
    soundfile.write(tmp_path / "clips" / "0.wav", waveform, 16_000)
    options = BuildOptions(
        output=tmp_path / "p", targets=(str(tmp_path / "float.toml"),), calibration=tmp_path / "clips"
    )
    (job,) = read_jobs(str(tmp_path / "silero.toml"), options)
    draft_package(job, tmp_path / "draft", StageCache(), Quiet())
    session, state, expected = onnxruntime.InferenceSession(graph), np.zeros((2, 1, 128), np.float32), []
    heard = np.concatenate([np.zeros(64, np.float32), soundfile.read(tmp_path / "clips" / "0.wav", dtype="float32")[0]])
    for start in range(0, len(heard) - 575, 512):
        feeds = {"input": heard[None, start : start + 576], "state": state, "sr": np.array(16_000)}
        score, state = session.run(None, feeds)
        expected.append(score[0, 0])
    assert len(expected) > 20, file
    with load(tmp_path / "draft") as model:
        scores = model.run(tmp_path / "clips" / "0.wav")["outputs"]["voice"]
    np.testing.assert_allclose(scores[:, 0], expected, atol=1e-4)


@pytest.mark.slow
def test_run_and_verify(package: Path, clips: list[Path], command: Command) -> None:
    done = command("run", package, clips[0], "--json")
    assert done.code == 0, done.err
    (answer,) = json.loads(done.out)["answers"]
    assert set(answer["keywords"][0]) == {"label", "score", "detections"}
    lines = command("run", package, clips[0]).out
    assert "loud  " in lines
    assert " s" in lines
    assert command("verify", package).code == 0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("hop = 80", "hops = 80", [":35", "component.levels: inputs.samples: unknown key 'hops'", "'hop'"]),
        ("hop = 80\n", "", ["the key 'hop' is missing"]),
        ("hop = 80", "hop = 0", [":35", "hop is 0"]),
        ("first = 80", "first = 161", ["the first window has 161 frames, more than the others (160)"]),
        ('"parts/levels.onnx"', '"parts/level.onnx"', ["no file 'parts/level.onnx' beside it"]),
        ('"memory.onnx"', '"../memory.onnx"', ["'../memory.onnx' is outside the folder"]),
        ('"memory.onnx"', '"/etc/passwd"', ["'/etc/passwd' is outside the folder"]),
        ('"memory.onnx"', f'"{"a" * 256}"', ["cannot be the name of a file"]),
        ('"memory.onnx"', f'"{"a/" * 3000}"', ["cannot be the name of a file"]),
        ('"memory.onnx"', '"memory\\u0000.onnx"', ["cannot be the name of a file"]),
        ('stream = "audio"', 'stream = "memory"', ["the components form a cycle: ", "levels -> memory"]),
        ('stream = "audio"', 'stream = "sound"', ["no component gives the stream 'sound'", "audio"]),
        ('stream = "memory"\nwindow = 3', 'stream = "memory.kept"\nwindow = 3', ["no stream 'memory.kept'", "memory"]),
        ("inputs.samples]", "inputs.sample]", ["'levels.onnx' has no input 'sample'", "'samples'"]),
        ("{ levels = 1 }", "{ level = 1 }", ["'levels.onnx' has no output 'level'", "'levels'"]),
        ("{ levels = 1 }", "{ levels = 3 }", ["'levels' has 3 axes", "along axis 3"]),
        ('state = { kept = "before" }', "", ["inputs level, before; this file does not mention before"]),
        ("window = 3", "window = 4", ["takes 3 frames along axis 1, and its windows have 4"]),
        (
            'stream = "memory"\nwindow = 3',
            'stream = "audio"\nwindow = 3',
            ["takes 1 x 2 values a frame", "'audio' has 1"],
        ),
        ('"louder"]', '"louder", "loudest"]', ["there are 4 labels, but the scores are: 'both' has 2, 'change' has 1"]),
        ('["both", "change"]', '["both", "changes"]', ["there is no stream 'changes'", "'change'"]),
        ('"keyword-spotting"', '"translation"', ["cannot be declared for the task 'translation'"]),
        ("threshold = 0.6", "threshold = 6", ["threshold must be between 0 and 1"]),
        ("component.both", "component.audio", ["'audio' is not a name for a component"]),
        ("threshold = 0.6", "threshold 0.6", ["is not valid TOML"]),
    ],
)
def test_declarations_that_are_wrong(
    command: Command, declaration: Path, clips: list[Path], tmp_path: Path, old: str, new: str, says: list[str]
) -> None:
    assert old in DECLARATION
    shutil.copytree(declaration.parent, tmp_path / "model")
    path = tmp_path / "model" / "tiny.toml"
    path.write_text(DECLARATION.replace(old, new))
    command.refuses_build(path, "--calibration", clips[0].parent / "clips.csv", says=["tiny.toml", *says])


def test_what_does_not_fit_the_model(command: Command, declaration: Path, clips: list[Path], tmp_path: Path) -> None:
    data = clips[0].parent / "clips.csv"
    command.refuses_build(
        declaration.parent / "both.onnx",
        "--task",
        "keyword-spotting",
        "--calibration",
        data,
        says=["from a .toml file"],
    )
    command.refuses_build(
        declaration,
        "--task",
        "audio-classification",
        "--calibration",
        data,
        says=["declares the task keyword-spotting"],
    )
    command.refuses_build(declaration.parent / "no.toml", "--calibration", data, says=["There is no declaration"])
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(f"audio,label\n{clips[0]},lout\n")
    command.refuses_build(declaration, "--evaluation", wrong, says=["unknown label 'lout'", "'loud'"])
    (tmp_path / "linked").mkdir()
    path = tmp_path / "linked" / "tiny.toml"
    shutil.copytree(declaration.parent, tmp_path / "linked", dirs_exist_ok=True)
    (tmp_path / "linked" / "memory.onnx").unlink()
    (tmp_path / "linked" / "memory.onnx").symlink_to(declaration.parent / "memory.onnx")
    command.refuses_build(path, "--calibration", data, says=["'memory.onnx' is outside the folder"])
