"""A float model that is wrong itself is told by the facts of its measurement, and one that is right is left alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from edgewright_benchmarks.engine_result import Accuracy, Interval
from edgewright_benchmarks.judging.baseline_doubt import baseline_doubt
from edgewright_benchmarks.tasks import TASKS, find_task
from edgewright_benchmarks.truth.objects import TrueBox
from edgewright_runtime.samples import ANSWER, pack_answer
from scoring import predictions, score

FOUR = [index % 4 for index in range(40)]
RARE = [0] * 34 + [1] * 6
SPOKEN = ["turn on the light", "play some music", "set a timer", "good night", "what time is it", "open the door"]


def scores(classes: Sequence[int]) -> list[Any]:
    """Outputs whose best class is the one given."""
    return [{"logits": np.eye(4, dtype=np.float32)[index][None]} for index in classes]


def single(values: Sequence[float]) -> list[Any]:
    """Outputs of one score for two classes."""
    return [{"score": np.array([[value]], np.float32)} for value in values]


def answers(*found: Any) -> list[Any]:
    """Outputs with what a person got."""
    return [{ANSWER: pack_answer(answer)} for answer in found]


def boxes(*lefts: float, label: str = "cat") -> list[Any]:
    """A box of ten pixels in each picture."""
    sides = ({"xmin": x, "ymin": 0.0, "xmax": x + 10, "ymax": 10.0} for x in lefts)
    return answers(*([{"label": label, "score": 0.9, "shown": True, "box": box}] for box in sides))


def true_boxes(*lefts: float) -> list[Any]:
    """Ground truth of such pictures."""
    return [(TrueBox("cat", (x, 0.0, 10.0, 10.0)),) for x in lefts]


def judged(task: str, outputs: list[Any], truth: Any) -> str:
    """What is doubtful in these outputs of the float engine."""
    return baseline_doubt(score(find_task(task).labelled, outputs, truth, outputs), predictions(outputs), truth)


@pytest.mark.parametrize(
    ("task", "outputs", "truth", "says"),
    [
        # Labels in another order, with one that happens to be right.
        ("text-classification", scores([(index + 1) % 4 for index in FOUR]), FOUR, "Its Accuracy is 0.00% on 40"),
        ("image-classification", scores([0, *((index + 1) % 4 for index in FOUR[1:])]), FOUR,
            "It is correct on 2.5% of 40 samples (upper bound: 12.9%). Always predicting the most frequent class"),
        ("audio-classification", scores([1 - index for index in RARE]), RARE, "Accuracy is 0.00%"),
        # As good as the most frequent class, and only ever that.
        ("text-classification", scores([0] * 40), RARE, "the same prediction for all 40 samples"),
        ("arrays", scores([3] * 40), FOUR, "the same prediction for all"),
        ("arrays", single([0.1] * 40), RARE, "the same prediction for all"),
        ("object-detection", boxes(*range(0, 600, 100)), true_boxes(*range(50, 650, 100)), "COCO mAP is 0.00% on 6"),
        ("object-detection", boxes(*range(0, 600, 100), label="dog"), true_boxes(*range(0, 600, 100)), "COCO mAP is 0"),
        ("object-detection", answers([], [], [], []), true_boxes(0, 10, 20, 30), "COCO mAP is 0.00% on 4"),
        ("automatic-speech-recognition", answers(*["a b c d e f g h"] * 6), SPOKEN, "Word accuracy (1 - WER) is -"),
        ("automatic-speech-recognition", answers(*[""] * 6), SPOKEN, "Word accuracy (1 - WER) is 0.00%"),
        ("translation", answers(*["on the on the"] * 6), [(text,) for text in SPOKEN], "the same prediction for all"),
        ("question-answering", answers(*[{"text": "!"}] * 6), [(text,) for text in SPOKEN], "Answer F1 is 0.00%"),
        # Ranks that are turned round, and numbers that are all the same.
        ("text-regression", single([-value for value in range(40)]), [float(one) for one in range(40)], "Spearman"),
        ("text-regression", single([0.5] * 6), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "Spearman"),
        ("image-to-text", answers(*["a a the"] * 6), [(text,) for text in SPOKEN], "the same prediction for all"),
    ],
)  # fmt: skip
def test_a_wrong_float_model_is_doubted(task: str, outputs: list[Any], truth: Any, says: str) -> None:
    assert says in judged(task, outputs, truth)


@pytest.mark.parametrize(
    ("task", "outputs", "truth"),
    [
        ("text-classification", scores(FOUR), FOUR),
        # At chance, of which a few more samples could make a little more than chance.
        ("text-classification", scores([0, 1] * 20), FOUR),
        # Of one class alone everything is that class; the few others could be missed by a good model.
        ("text-classification", scores([0] * 40), [0] * 40),
        ("text-classification", scores([0] * 40), [0] * 37 + [1] * 3),
        ("text-classification", scores([1, 1, 1]), [0, 2, 3]),
        ("arrays", single([0.1, 0.9] * 20), [0, 1] * 20),
        ("text-regression", single([1, 2, 3, 4, 5, 6]), [5.0, 1.0, 6.0, 2.0, 4.0, 3.0]),
        ("object-detection", boxes(0, 100, 200, 300), true_boxes(2, 101, 202, 301)),
        ("automatic-speech-recognition", answers(*SPOKEN), SPOKEN),
        ("automatic-speech-recognition", answers("turn off", *SPOKEN[1:]), SPOKEN),
        ("translation", answers(*SPOKEN), [(text,) for text in SPOKEN]),
        ("translation", answers(*["good night"] * 6), [("good night",)] * 6),
        ("question-answering", answers(*[{"text": "!"}] * 3), [(text,) for text in SPOKEN[:3]]),
    ],
)
def test_a_right_one_and_too_few_samples_are_left_alone(task: str, outputs: list[Any], truth: Any) -> None:
    assert judged(task, outputs, truth) == ""


def test_answers_to_questions_and_masks_are_compared_without_what_always_differs() -> None:
    third = Accuracy({"mean_iou": Interval(0.3, 0.2, 0.4)}, Interval(0, 0, 0), 6)
    sure = answers(*({"text": "on", "score": index / 7} for index in range(6)))
    masks = answers(*({"mask": np.full((4, 5 + index), 2)} for index in range(6)))
    drawn = answers(*({"mask": np.arange(20 + index) % 3} for index in range(6)))

    assert "the same prediction for all" in baseline_doubt(third, predictions(sure), SPOKEN)
    assert "the same prediction for all" in baseline_doubt(third, predictions(masks), SPOKEN)
    assert baseline_doubt(third, predictions(drawn), SPOKEN) == ""


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_task_says_what_to_look_at(task: Any) -> None:
    assert task.suspects[0].islower()
    assert task.suspects[-1].isalpha() or task.suspects.endswith(")")
