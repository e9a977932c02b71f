"""Keyword spotting with openWakeWord's real graphs: the scores of its own streaming, and words that are found."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import wake_word
from command import run_apart
from edgewright_benchmarks.result_files import result_from_json
from edgewright_runtime import Package, load
from edgewright_runtime.listening import KeywordListener
from fetched import CannotFetchError
from real_audio import recordings

# It builds a package of real graphs, which takes more than a few seconds.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graphs, the declaration of the docs beside them, and recordings: half of them say the keyword."""
    place = tmp_path_factory.mktemp("keywords")
    try:
        wake_word.write_wake_word(place, [list(recordings())[10][1]])
    except CannotFetchError as error:
        pytest.skip(str(error))
    return place


@pytest.fixture(scope="module")
def package(folder: Path, sources: Path, shared_cache: Path) -> Path:
    data = ("--calibration", folder / "clips.csv", "--evaluation", folder / "clips.csv")
    fixed = ("--target", sources / "tiny.toml", "--rounds", "2", "--calls", "1")
    out = folder / "p"
    done = run_apart("build", folder / wake_word.DECLARATION, *fixed, *data, "-o", out, cache=shared_cache)
    assert done.code == 0, done.err
    return out


def test_scores_are_those_of_the_source(package: Path, folder: Path) -> None:
    by_hand = wake_word.their_scores(folder)
    with load(package, engine="tiny-cpu-fp32") as model:
        for file in sorted(folder.glob("*.wav")):
            scores = model.run(file)["outputs"]["classifier"]
            expected = by_hand(file)
            assert scores.shape == (len(expected), 1)
            np.testing.assert_allclose(scores[:, 0], expected, atol=1e-4)


def test_words_are_found_as_they_are_said(package: Path, folder: Path) -> None:
    with load(package) as model:
        for index in range(4):
            waveform, _ = soundfile.read(folder / f"{index}.wav", dtype="float32")
            (answer,) = model(folder / f"{index}.wav")
            assert bool(answer["detections"]) == (index < 2)
            listener = model.listen()
            assert isinstance(listener, KeywordListener)
            heard = list(listener.over(np.array_split(waveform, 23)))
            assert [(found["time"], found["score"]) for found in heard] == [
                (found["time"], found["score"]) for found in answer["detections"]
            ]
            assert listener.highest == [answer["score"]]


def test_the_choice_is_by_f1(package: Path) -> None:
    result = result_from_json(Package.open(package).evidence("tiny"), "evidence")
    base = result.engine(result.baseline)
    assert base.accuracy is not None
    assert base.accuracy.metrics["f1"].value == 1.0
    assert base.accuracy.metrics["auc"].value == 1.0
    assert result.engine("tiny-cpu-int8").accuracy is not None
