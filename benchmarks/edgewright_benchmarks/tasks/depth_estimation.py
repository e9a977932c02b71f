"""How far away each pixel of a picture is."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.depth import DepthAgreement, LabelledDepth
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.depths import DEPTHS

_SUSPECTS = "the unit of the ground truth, whether larger is nearer (depth_estimation_type), and the scale of pixels"
TASK = Task("depth-estimation", DEPTHS, LabelledDepth(), DepthAgreement(), suspects=_SUSPECTS)
