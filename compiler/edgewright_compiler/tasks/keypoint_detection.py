"""Named points of a thing in a picture, such as the joints of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from edgewright_compiler.processors.keypoints import KEYPOINTS
from edgewright_compiler.tasks._boxes import scored_boxes
from edgewright_compiler.tasks._task import Task
from edgewright_runtime.manifest import ComparisonSpec, StepSpec
from edgewright_targets import InputError

# Backbones with experts choose one by the data set of a picture, which nobody has on a device.
_EXPERTS = "num_experts"


def _comparison(steps: Sequence[StepSpec]) -> ComparisonSpec | None:
    """Of detectors the same steps with poses of all scores; the one pose of a box has no threshold."""
    return scored_boxes(steps, "poses") if steps[-1].step == "name_poses" else None


def _check(config: Mapping[str, object], folder: Path) -> None:
    backbone = config.get("backbone_config")
    experts = backbone.get(_EXPERTS, 1) if isinstance(backbone, Mapping) else 1
    if experts != 1:
        raise InputError(
            f"'{folder}': its backbone has {experts} experts, one for each data set that it was trained on; a model of "
            "one expert is supported.",
            hint="ViTPose without the plus (vitpose-base-simple) has one.",
        )


TASK = Task(
    name="keypoint-detection",
    heads=("ForPoseEstimation",),
    model="VitPoseForPoseEstimation",
    outputs=("heatmaps",),
    processor=KEYPOINTS,
    output_name="poses",
    labelled=True,
    comparison=_comparison,
    check=_check,
)
