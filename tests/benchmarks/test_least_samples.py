"""What a build says before it begins about too few samples holds for every kind of score."""

from typing import Any

import pytest

import tiny_targets
from edgewright_benchmarks.statistics.intervals import least_bound
from edgewright_benchmarks.tasks import find_task
from edgewright_benchmarks.truth.objects import TrueBox
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_runtime.samples import ANSWER, pack_answer
from scoring import score

SAID = ["turn on the light", "play some music", "set a timer", "good night", "what time is it", "open the door"]


def answers(*found: Any) -> list[Any]:
    return [{ANSWER: pack_answer(answer)} for answer in found]


BOXES = [{"label": "cat", "score": 0.9, "shown": True, "box": {"xmin": 0, "ymin": 0, "xmax": 9, "ymax": 9}}] * 2
CASES: list[tuple[str, list[Any], Any]] = [
    ("object-detection", answers(*[BOXES] * 6), [(TrueBox("cat", (0.0, 0.0, 9.0, 9.0)),)] * 6),
    ("automatic-speech-recognition", answers(*SAID), SAID),
    ("translation", answers(*SAID), [(text,) for text in SAID]),
    ("image-to-text", answers(*SAID), [(text,) for text in SAID]),
    ("question-answering", answers(*({"text": text} for text in SAID)), [(text,) for text in SAID]),
    ("fill-mask", answers(*([[{"text": text}], [{"text": "on"}]] for text in SAID)), [(text, "on") for text in SAID]),
    ("token-classification", answers(*[[{"label": "A", "words": [0, 1]}]] * 6), [("B-A", "I-A", "O")] * 6),
]


@pytest.mark.parametrize(("task", "outputs", "truth"), CASES, ids=[task for task, *_ in CASES])
@pytest.mark.parametrize("labelled", [True, False])
def test_the_same_answers_again_show_no_smaller_loss(task: str, outputs: list[Any], truth: Any, labelled: bool) -> None:
    scorer = find_task(task).metric(labelled=labelled)
    found = score(scorer, list(outputs), truth if labelled else None, outputs)
    assert found.drop.value == 0
    assert found.drop.high >= least_bound(len(outputs))


def test_too_few_pictures_with_boxes_are_said(tmp_path: Any) -> None:
    import tiny_detectors

    tiny_detectors.write_pictures(tmp_path / "things", count=5)
    target = str(tiny_targets.write_target(tmp_path / "tiny.toml"))
    checkpoint = tiny_detectors.write_checkpoint(tmp_path / "yolos", "yolos")
    options = BuildOptions(output=tmp_path / "p", targets=(target,), evaluation=tmp_path / "things")

    (job,) = read_jobs(str(checkpoint), options)

    assert "5 samples cannot show a drop below 35.1 percentage points" in job.too_few()
    assert "only an engine that is better than float could be chosen" in job.too_few()
