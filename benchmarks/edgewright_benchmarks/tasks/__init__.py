"""Tasks as the meter sees them: ground truth of a sample, and metrics of predictions. One file a task, one list.

>>> from edgewright_benchmarks.tasks import find_task
>>> find_task("text-classification").metric(labelled=True).measure
'accuracy'
"""

from __future__ import annotations

from edgewright_benchmarks.find_by_name import find_by_name
from edgewright_benchmarks.tasks import (
    arrays,
    audio_classification,
    automatic_speech_recognition,
    binary_text_classification,
    feature_extraction,
    fill_mask,
    image_classification,
    image_segmentation,
    image_text_matching,
    image_text_retrieval,
    image_to_text,
    keyword_spotting,
    multi_label_image_classification,
    multi_label_text_classification,
    object_detection,
    question_answering,
    summarization,
    text_classification,
    text_generation,
    text_ranking,
    text_regression,
    token_classification,
    translation,
    unconditional_image_generation,
    video_classification,
    visual_question_answering,
    voice_activity_detection,
    zero_shot_image_classification,
)
from edgewright_benchmarks.tasks._task import Task

__all__ = ["TASKS", "Task", "find_task"]

TASKS: tuple[Task, ...] = (
    text_classification.TASK,
    text_ranking.TASK,
    text_regression.TASK,
    binary_text_classification.TASK,
    multi_label_text_classification.TASK,
    token_classification.TASK,
    question_answering.TASK,
    feature_extraction.TASK,
    fill_mask.TASK,
    text_generation.TASK,
    translation.TASK,
    summarization.TASK,
    image_classification.TASK,
    multi_label_image_classification.TASK,
    image_segmentation.TASK,
    object_detection.TASK,
    zero_shot_image_classification.TASK,
    image_text_retrieval.TASK,
    image_text_matching.TASK,
    image_to_text.TASK,
    visual_question_answering.TASK,
    audio_classification.TASK,
    automatic_speech_recognition.TASK,
    unconditional_image_generation.TASK,
    video_classification.TASK,
    voice_activity_detection.TASK,
    keyword_spotting.TASK,
    arrays.TASK,
)


def find_task(name: str) -> Task:
    """The task called `name`.

    Raises:
        InputError: No such task.
    """
    return find_by_name(TASKS, name)
