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
    audio_feature_extraction,
    automatic_speech_recognition,
    binary_text_classification,
    depth_estimation,
    document_question_answering,
    feature_extraction,
    fill_mask,
    image_classification,
    image_feature_extraction,
    image_segmentation,
    image_text_matching,
    image_text_retrieval,
    image_to_image,
    image_to_text,
    keypoint_detection,
    keyword_spotting,
    mask_generation,
    multi_label_image_classification,
    multi_label_text_classification,
    object_detection,
    question_answering,
    summarization,
    tabular_classification,
    tabular_regression,
    text_classification,
    text_generation,
    text_ranking,
    text_regression,
    time_series_forecasting,
    token_classification,
    translation,
    unconditional_image_generation,
    video_classification,
    visual_question_answering,
    voice_activity_detection,
    zero_shot_classification,
    zero_shot_image_classification,
)
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.tasks.own_functions import NO_FUNCTIONS, OwnFunctions

__all__ = ["NO_FUNCTIONS", "TASKS", "OwnFunctions", "Task", "find_task"]

TASKS: tuple[Task, ...] = (
    text_classification.TASK,
    text_ranking.TASK,
    text_regression.TASK,
    binary_text_classification.TASK,
    multi_label_text_classification.TASK,
    zero_shot_classification.TASK,
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
    mask_generation.TASK,
    depth_estimation.TASK,
    image_to_image.TASK,
    object_detection.TASK,
    keypoint_detection.TASK,
    zero_shot_image_classification.TASK,
    image_text_retrieval.TASK,
    image_text_matching.TASK,
    image_to_text.TASK,
    visual_question_answering.TASK,
    document_question_answering.TASK,
    audio_classification.TASK,
    automatic_speech_recognition.TASK,
    unconditional_image_generation.TASK,
    video_classification.TASK,
    voice_activity_detection.TASK,
    keyword_spotting.TASK,
    image_feature_extraction.TASK,
    audio_feature_extraction.TASK,
    tabular_classification.TASK,
    tabular_regression.TASK,
    time_series_forecasting.TASK,
    arrays.TASK,
)


def find_task(name: str, own: OwnFunctions = NO_FUNCTIONS) -> Task:
    """The task called `name`, with the metric that was asked for.

    Raises:
        InputError: No such task, or no such metric.
    """
    found = find_by_name(TASKS, name)
    return own.applied(found) if own.names else found
