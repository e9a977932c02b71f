"""A question about a document, answered by some of its words."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.answers import AnswerAgreement
from edgewright_benchmarks.accuracy.documents import LabelledDocumentAnswers
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import ANSWERS

_SUSPECTS = "the order of the words, their boxes (left, top, right, bottom from 0 to 1000), and the tokenizer"
TASK = Task("document-question-answering", ANSWERS, LabelledDocumentAnswers(), AnswerAgreement(), suspects=_SUSPECTS)
