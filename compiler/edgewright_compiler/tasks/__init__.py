"""Tasks as the compiler sees them: how a checkpoint of it is exported, and the declared way around its graph.

One file a task, and this one list. The meter's side of a task is in `edgewright_benchmarks.tasks`.
"""

from __future__ import annotations

from edgewright_benchmarks.find_by_name import find_by_name
from edgewright_compiler.checkpoints.heads import Head
from edgewright_compiler.tasks import (
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
from edgewright_compiler.tasks._task import Task

__all__ = ["TASKS", "Task", "find_task", "narrowed", "task_of_architectures"]

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


def find_task(name: str) -> Task:
    """The task called `name`.

    Raises:
        InputError: No such task.
    """
    return find_by_name(TASKS, name)


def narrowed(task: Task, head: Head) -> Task:
    """The kind of a task that a model with this head is of, or the task itself."""
    return next((one for one in TASKS if one.narrows == task.name and one.fits(head)), task)


def task_of_architectures(names: list[str]) -> Task | None:
    """The task that the names of classes of transformers stand for, by how they end; None where none does.

    The longest ending decides: a name may end as those of one task do, and be listed in full by another.
    """
    for name in names:
        fitting = [(len(head), task) for task in TASKS for head in task.heads if name.endswith(head)]
        if fitting:
            return max(fitting, key=lambda entry: entry[0])[1]
    return None
