"""The mask of a thing that a person points at."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.things import LabelledThings, ThingAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.things import THINGS

_SUSPECTS = "the points and boxes (x before y, pixels of the picture, width and height), and the scale of the pixels"
TASK = Task("mask-generation", THINGS, LabelledThings(), ThingAgreement(), suspects=_SUSPECTS)
