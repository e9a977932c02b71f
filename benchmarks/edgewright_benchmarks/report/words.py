"""Numbers and words as people read them, the same in the page, the charts and the table."""

from __future__ import annotations

import math
from typing import Final

from edgewright_benchmarks.result import Interval, Measure, Status
from edgewright_benchmarks.statistics.bounds import Rounding, lower, nearest, upper
from edgewright_targets import Rung

NOTHING: Final = "\N{EN DASH}"
NOT_MEASURED: Final = "not measured"
MINUS: Final = "\N{MINUS SIGN}"
# A number is not parted from its unit at the end of a line.
_UNIT_SPACE: Final = "\N{NO-BREAK SPACE}"

RUNGS: Final[dict[Rung, str]] = {
    "measured": "ran on this hardware",
    "emulated": "ran on a bit-true emulator of the hardware: answers are real, times are not",
    "compiled": "the vendor's compiler accepted it, nothing ran",
    "declared": "nothing was checked",
}

# Shapes, so that a reader who sees no colour (or prints) can tell them apart; the charts draw the same ones.
MARKERS: Final[dict[Status | str, str]] = {
    "baseline": "□",
    "accepted": "○",
    "chosen": "◆",
    "refused": "\N{MULTIPLICATION SIGN}",
    "failed": NOTHING,
    "unfinished": NOTHING,
    "elsewhere": NOTHING,
}

_METRICS: Final = {
    "accuracy": "Accuracy",
    "auc": "AUC",
    "top_5_accuracy": "Top-5 accuracy",
    "entity_f1": "Entity F1",
    "frame_f1": "F1 of frames",
    "frame_auc": "AUC of frames",
    "answer_f1": "Answer F1",
    "chrf": "Mean chrF",
    "cider_d": "CIDEr-D (0 to 10)",
    "same_text": "Same text as float",
    "mean_recall": "Mean recall",
    "image_to_text_recall_at_1": "Recall@1, image to text",
    "image_to_text_recall_at_5": "Recall@5, image to text",
    "text_to_image_recall_at_1": "Recall@1, text to image",
    "text_to_image_recall_at_5": "Recall@5, text to image",
    "macro_f1": "Macro-F1",
    "micro_f1": "Micro-F1",
    "average_precision": "Average precision",
    "ndcg_at_10": "nDCG@10",
    "mrr_at_10": "MRR@10",
    "mean_average_precision": "Mean average precision",
    "spearman": "Spearman correlation",
    "mse": "Mean squared error",
    "map": "COCO mAP",
    "ap_50": "AP at an overlap of 50 %",
    "ap_75": "AP at an overlap of 75 %",
    "top_1_agreement": "Top-1 agreement",
    "top_5_agreement": "Top-5 agreement",
    "agreement": "Agreement",
    "word_accuracy": "Word accuracy (1 - WER)",
    "word_error_rate": "Word error rate",
    "character_error_rate": "Character error rate",
    "corpus_chrf": "chrF",
    "psnr": "PSNR",
    "perceptual_distance": "Perceptual distance",
    "mean_iou": "Mean IoU",
    "pixel_accuracy": "Pixel accuracy",
}


# Metrics that are no shares.
_NUMBERS: Final = ("perplexity", "cider_d", "mse", "perceptual_distance")


def metric_word(name: str, measure: Measure, *, first: bool) -> str:
    """The heading of a metric; agreement with the float model is never called accuracy."""
    if measure == "agreement":
        word = "Agreement" if first else _METRICS.get(name, name.replace("_", " ").capitalize())
        return f"{word} with the float model"
    return _METRICS.get(name, name.replace("_", " ").capitalize())


def drop_word(measure: Measure) -> str:
    """What a drop is a drop of."""
    return "Loss of agreement" if measure == "agreement" else "Accuracy drop"


def significant(value: float, digits: int = 3, rounding: Rounding = nearest) -> str:
    """`value` with so many significant digits, never in scientific notation, thousands separated.

    >>> significant(0.00087), significant(2.1), significant(1234.5)
    ('0.000870', '2.10', '1,234')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{rounding(value, decimals):,.{decimals}f}"


def milliseconds(seconds: float) -> str:
    """Seconds as milliseconds: `0.880 ms`."""
    return f"{significant(seconds * 1000)}{_UNIT_SPACE}ms"


def metric_value(name: str, value: float, rounding: Rounding = nearest) -> str:
    """A metric as people read it: a share as percent, `_NUMBERS` as the numbers that they are, decibels as such."""
    if name == "psnr":
        return f"{significant(value, rounding=rounding)}{_UNIT_SPACE}dB"
    return significant(value, rounding=rounding) if name in _NUMBERS else percent(value, rounding)


def metric_span(name: str, interval: Interval) -> str:
    """The interval of a metric: `98.20% to 98.90%`."""
    return f"{metric_value(name, interval.low, lower)} to {metric_value(name, interval.high, upper)}"


def percent(share: float, rounding: Rounding = nearest) -> str:
    """A share as percent: `98.20%`."""
    return f"{rounding(share * 100, 2):.2f}%"


def points(share: float) -> str:
    """A difference of shares in percentage points, with a true minus sign: `0.20`."""
    text = f"{share * 100:.2f}"
    return text.replace("-", MINUS) if float(text) else "0.00"


def points_bound(share: float) -> str:
    """An upper bound in percentage points, rounded up: a bound above the budget must not read as equal to it."""
    return points(upper(share * 100, 2) / 100)


def budget(share: float) -> str:
    """The budget in percentage points, as exactly as it was given, with at least two decimals."""
    exact = f"{share * 100:.10g}"
    rounded = f"{share * 100:.2f}"
    return rounded if float(rounded) == float(exact) else exact


def megabytes(size: int) -> str:
    """Bytes as decimal megabytes: `3.41 MB`."""
    return f"{significant(size / 1e6)}{_UNIT_SPACE}MB"


def confidence(interval: Interval) -> str:
    """`95%`."""
    return f"{interval.confidence * 100:g}%"


def speed(ratio: Interval) -> Interval:
    """How many times as fast as the baseline, from a ratio of latencies."""
    return Interval(1 / ratio.value, 1 / ratio.high, 1 / ratio.low, ratio.confidence)


def times(value: float, rounding: Rounding = nearest) -> str:
    """A factor, with the sign for times."""
    return f"{significant(value, rounding=rounding)}\N{MULTIPLICATION SIGN}"


def times_span(interval: Interval) -> str:
    """The interval of a factor."""
    return f"{times(interval.low, lower)} to {times(interval.high, upper)}"


def shortened(name: str, length: int) -> str:
    """`name` with its middle left out where it is longer than `length`: targets differ at the front, recipes behind."""
    if len(name) <= length:
        return name
    half = (length - 1) // 2
    return f"{name[: length - 1 - half]}…{name[-half:]}"
