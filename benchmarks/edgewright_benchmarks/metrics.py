"""Every metric that a task gives: its title, its unit and rounding, and which direction is better.

Whatever shows a metric (terminal, page, Markdown, tables of the documents) takes its words and figures from here.

    >>> from edgewright_benchmarks.metrics import metric_title, metric_value
    >>> metric_title("macro_f1", "accuracy", first=False), metric_value("macro_f1", 0.98204)
    ('Macro-F1', '98.20%')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.result import Measure
from edgewright_benchmarks.statistics.bounds import Rounding, lower, nearest, significant, upper


@dataclass(frozen=True)
class Unit:
    """How the values of a metric are written.

    Attributes:
        name: For people.
        suffix: Behind the number.
        factor: What a value is multiplied with first.
        decimals: Of the number; None: it has three significant digits.
    """

    name: str
    suffix: str = ""
    factor: float = 1.0
    decimals: int | None = None

    def text(self, value: float, rounding: Rounding) -> str:
        """The value with its unit."""
        if self.decimals is None:
            return f"{significant(value * self.factor, rounding=rounding)}{self.suffix}"
        return f"{rounding(value * self.factor, self.decimals):.{self.decimals}f}{self.suffix}"


SHARE: Final = Unit("percent", suffix="%", factor=100.0, decimals=2)
NUMBER: Final = Unit("number")
# A number is not parted from its unit at the end of a line.
DECIBEL: Final = Unit("decibel", suffix="\N{NO-BREAK SPACE}dB")


@dataclass(frozen=True)
class MetricFacts:
    """What is known of a metric.

    Attributes:
        title: For people, as a heading.
        unit: Of its values, with their rounding.
        higher_is_better: Which direction is better.
        library: Whose code computes it; empty where it is Edgewright's.
    """

    title: str
    unit: Unit = SHARE
    higher_is_better: bool = True
    library: str = ""


# By the names that results and packages have.
METRICS: Final[dict[str, MetricFacts]] = {
    "accuracy": MetricFacts("Accuracy"),
    "auc": MetricFacts("AUC", library="scikit-learn"),
    "top_5_accuracy": MetricFacts("Top-5 accuracy"),
    "macro_f1": MetricFacts("Macro-F1", library="scikit-learn"),
    "micro_f1": MetricFacts("Micro-F1"),
    "average_precision": MetricFacts("Average precision", library="scikit-learn"),
    "f1": MetricFacts("F1"),
    "entity_f1": MetricFacts("Entity F1", library="seqeval"),
    "frame_f1": MetricFacts("F1 of frames"),
    "frame_auc": MetricFacts("AUC of frames", library="scikit-learn"),
    "answer_f1": MetricFacts("Answer F1"),
    "anls": MetricFacts("ANLS", library="rapidfuzz"),
    "exact_match": MetricFacts("Exact match"),
    "chrf": MetricFacts("Mean chrF", library="sacrebleu"),
    "corpus_chrf": MetricFacts("chrF", library="sacrebleu"),
    "cider_d": MetricFacts("CIDEr-D (0 to 10)", NUMBER),
    "character_error_rate": MetricFacts("Character error rate", higher_is_better=False, library="jiwer"),
    "word_error_rate": MetricFacts("Word error rate", higher_is_better=False, library="jiwer"),
    "word_accuracy": MetricFacts("Word accuracy (1 - WER)", library="jiwer"),
    "perplexity": MetricFacts("Perplexity", NUMBER, higher_is_better=False),
    "mean_recall": MetricFacts("Mean recall"),
    "image_to_text_recall_at_1": MetricFacts("Recall@1, image to text"),
    "image_to_text_recall_at_5": MetricFacts("Recall@5, image to text"),
    "text_to_image_recall_at_1": MetricFacts("Recall@1, text to image"),
    "text_to_image_recall_at_5": MetricFacts("Recall@5, text to image"),
    "identification": MetricFacts("Top-1 identification"),
    "verification_auc": MetricFacts("AUC of verification", library="scikit-learn"),
    "equal_error_rate": MetricFacts("Equal error rate", higher_is_better=False, library="scikit-learn"),
    "ndcg_at_10": MetricFacts("nDCG@10", library="scikit-learn"),
    "mrr_at_10": MetricFacts("MRR@10"),
    "mean_average_precision": MetricFacts("Mean average precision", library="scikit-learn"),
    "spearman": MetricFacts("Spearman correlation", library="scipy"),
    "pearson": MetricFacts("Pearson correlation"),
    "r2": MetricFacts("R2", library="scikit-learn"),
    "mae": MetricFacts("Mean absolute error", NUMBER, higher_is_better=False),
    "mse": MetricFacts("Mean squared error", NUMBER, higher_is_better=False),
    "mase": MetricFacts("Mean absolute scaled error", NUMBER, higher_is_better=False),
    "smape": MetricFacts("sMAPE", higher_is_better=False),
    "si_sdr": MetricFacts("SI-SDR", DECIBEL),
    "edit_similarity": MetricFacts("Edit similarity", library="rapidfuzz"),
    "edit_distance": MetricFacts("Edit distance", higher_is_better=False, library="rapidfuzz"),
    "map": MetricFacts("COCO mAP", library="pycocotools"),
    "ap_50": MetricFacts("AP at an overlap of 50 %", library="pycocotools"),
    "ap_75": MetricFacts("AP at an overlap of 75 %", library="pycocotools"),
    "oks_map": MetricFacts("OKS mAP", library="pycocotools"),
    "oks_ap_50": MetricFacts("AP at an OKS of 50 %", library="pycocotools"),
    "oks_ap_75": MetricFacts("AP at an OKS of 75 %", library="pycocotools"),
    "pck": MetricFacts("PCK within 20 % of the box"),
    "mean_iou": MetricFacts("Mean IoU", library="scikit-learn"),
    "pixel_accuracy": MetricFacts("Pixel accuracy", library="scikit-learn"),
    "surest_mask_iou": MetricFacts("Mean IoU of the surest mask"),
    "best_mask_iou": MetricFacts("Mean IoU of the best mask"),
    "delta_1": MetricFacts("Depth within a factor of 1.25"),
    "abs_rel": MetricFacts("Absolute relative error", higher_is_better=False),
    "depth_rmse": MetricFacts("Root mean squared error", NUMBER, higher_is_better=False),
    "agreement": MetricFacts("Agreement"),
    "top_1_agreement": MetricFacts("Top-1 agreement"),
    "top_5_agreement": MetricFacts("Top-5 agreement"),
    "token_agreement": MetricFacts("Token agreement"),
    "same_text": MetricFacts("Same text"),
    "same_transcript": MetricFacts("Same transcript"),
    "ssim": MetricFacts("SSIM", library="scikit-image"),
    "psnr": MetricFacts("PSNR", DECIBEL, library="scikit-image"),
    "perceptual_distance": MetricFacts("Perceptual distance", NUMBER, higher_is_better=False),
}


def metric_facts(name: str) -> MetricFacts:
    """What is known of a metric; of one that another version wrote its name and that it is a share.

    A metric of a user's own (`package.module:function`) is a share as well.
    """
    module, colon, function = name.partition(":")
    if colon:
        return MetricFacts(f"{function} ({module})")
    return METRICS.get(name) or MetricFacts(name.replace("_", " ").capitalize())


def metric_title(name: str, measure: Measure, *, first: bool) -> str:
    """The heading of a metric; agreement with the float model is never called accuracy.

    Args:
        name: Of the metric.
        measure: What the result measures.
        first: It is the metric that drops are of.
    """
    if measure == "agreement":
        return f"{'Agreement' if first else metric_facts(name).title} with the float model"
    return metric_facts(name).title


def metric_words(name: str) -> str:
    """The title of a metric inside a sentence, without what explains it: `word accuracy`, `COCO mAP`."""
    title = metric_facts(name).title.partition(" (")[0]
    # Abbreviations stay as they are.
    return title[0].lower() + title[1:] if title[1:2].islower() else title


def metric_value(name: str, value: float, rounding: Rounding = nearest) -> str:
    """A value as people read it, in the unit and with the rounding of its metric."""
    return metric_facts(name).unit.text(value, rounding)


def metric_span(name: str, interval: Interval) -> str:
    """The interval of a metric, rounded outwards: `98.20% to 98.90%`."""
    return f"{metric_value(name, interval.low, lower)} to {metric_value(name, interval.high, upper)}"


def metrics_table() -> str:
    """All metrics as a table in Markdown, for the documents."""
    rows = [
        (facts.title, f"`{name}`", facts.unit.name, "higher" if facts.higher_is_better else "lower", facts.library)
        for name, facts in METRICS.items()
    ]
    lines = [("metric", "in results", "unit", "better", "library"), ("---",) * 5, *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


if __name__ == "__main__":
    print(metrics_table())
