"""What the last layer of a classifier means: one class of several, several at once, one of two, or a number.

Which of them a checkpoint was trained for is in its configuration, not in its architecture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgewright_targets import InputError

# What a configuration has that says nothing of labels: as `PretrainedConfig` of transformers.
_DEFAULT_LABELS = 2
_PROBLEMS = (None, "regression", "single_label_classification", "multi_label_classification")


@dataclass(frozen=True)
class Head:
    """The head of a classifier.

    Attributes:
        labels: How many scores it gives; None where nothing tells it.
        problem: `problem_type` of the configuration, what it was trained for.
        names: How many class names the user gave; 0 where none.
        activated: What the graph itself ends in, `sigmoid` or `softmax`; empty where it gives logits.
        cross_encoder: The class of torch that makes scores of logits, where it is a cross-encoder of
            sentence-transformers; empty where its configuration does not name one, None of other models.
    """

    labels: int | None = None
    problem: str | None = None
    names: int = 0
    activated: str = ""
    cross_encoder: str | None = None

    @property
    def function(self) -> str:
        """What makes scores of logits, by the rules of transformers' pipelines: `none`, `sigmoid` or `softmax`."""
        if self.activated or self.problem == "regression":
            return "none"
        if self.problem == "multi_label_classification" or self.labels == 1:
            return "sigmoid"
        return "softmax"

    @property
    def is_binary(self) -> bool:
        """One score that stands for two classes."""
        of_classes = self.problem in ("single_label_classification", "multi_label_classification")
        return self.labels == 1 and (of_classes or self.names == 2)

    @property
    def is_number(self) -> bool:
        """One score that stands for itself."""
        return self.labels == 1 and not self.is_binary

    @property
    def is_multi_label(self) -> bool:
        """Several labels may hold at once."""
        independent = self.problem is None and self.activated == "sigmoid"
        return self.labels != 1 and (independent or self.problem == "multi_label_classification")


def head_of(config: Mapping[str, object], *, names: int = 0) -> Head:
    """The head that a configuration of transformers describes; see `Head` for the arguments."""
    table = config.get("id2label")
    count = len(table) if isinstance(table, Mapping) and table else config.get("num_labels", _DEFAULT_LABELS)
    problem = config.get("problem_type")
    return Head(
        count if isinstance(count, int) else None,
        problem if isinstance(problem, str) else None,
        names,
        cross_encoder=_cross_encoder(config),
    )


def _cross_encoder(config: Mapping[str, object]) -> str | None:
    """The class that makes scores of logits, from where sentence-transformers writes it now or did before version 4."""
    written = config.get("sentence_transformers")
    old = config.get("sbert_ce_default_activation_function")
    if not isinstance(written, Mapping) and not isinstance(old, str):
        return None
    named = written.get("activation_fn") if isinstance(written, Mapping) else None
    return str(named or old or "").rpartition(".")[2]


def class_of_several(config: dict[str, object], folder: Path) -> None:
    """Raise where a model does not choose one class of several: scores of one label are not a choice.

    Raises:
        InputError: It gives a number, several labels at once, or one score.
    """
    head = head_of(config)
    problem = config.get("problem_type")
    if problem not in _PROBLEMS or head.problem in ("regression", "multi_label_classification"):
        raise InputError(
            f"'{folder}': its problem type is '{problem}' with {head.labels} labels, but this task gives one label "
            "per sample.",
            hint=_HINT,
        )
    if head.labels == 1:
        raise InputError(f"'{folder}': it has one label, but this task chooses one class of several.", hint=_HINT)


def one_score(config: dict[str, object], folder: Path) -> None:
    """Raise where a model gives more than one score.

    Raises:
        InputError: It does.
    """
    if (labels := head_of(config).labels) != 1:
        raise InputError(f"'{folder}': it has {labels} labels, but this task is for models with one.", hint=_HINT)


def two_classes(config: dict[str, object], folder: Path) -> None:
    """Raise where a model has one label: all is of it.

    Raises:
        InputError: It has.
    """
    if head_of(config).labels == 1:
        raise InputError(
            f"'{folder}': it has one label, so every pixel would have that label.",
            hint="If its score separates two classes of pixels, name both with --labels FILE.",
        )


def several_labels(config: dict[str, object], folder: Path) -> None:
    """Raise where a model cannot give several labels.

    Raises:
        InputError: It has one label, or was trained for a number.
    """
    head = head_of(config)
    if head.labels == 1 or head.problem == "regression":
        raise InputError(
            f"'{folder}': it has {head.labels} label{'' if head.labels == 1 else 's'} and the problem type "
            f"'{config.get('problem_type')}'; this task is for models of several labels.",
            hint=_HINT,
        )


_HINT = (
    "For texts: text-regression gives one number, binary-text-classification two classes from one score, "
    "multi-label-text-classification several labels at once. For images: multi-label-image-classification."
)
