"""A question about a text, answered by a part of the text."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.answers import AnswerAgreement, LabelledAnswers
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import ANSWERS

TASK = Task("question-answering", ANSWERS, LabelledAnswers(), AnswerAgreement())
