"""Samples that guide a search apart from those that prove what it found: nothing is proven by what proposed it."""

from __future__ import annotations

from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.judging.evidence import data_facts
from edgewright_targets import InputError

# Of one data set, this part guides the search; that many at least, and at most.
_PART = 4
_FEWEST, _MOST = 16, 512
# Decides which samples guide.
_SEED = 0


def data_apart(calibration: Dataset | None, evaluation: Dataset | None) -> tuple[Dataset, Dataset, str]:
    """What guides a search, what proves what it found, and a sentence where one data set was split for that.

    Args:
        calibration: Data for ranges, or None.
        evaluation: Data that engines are compared on, or None.

    Raises:
        InputError: There are too few samples to be both.
    """
    whole = evaluation or calibration
    if whole is None:
        raise InputError(
            "There is no data to search with.",
            hint="Pass calibration data with --calibration and labelled data with --evaluation.",
        )
    if calibration and evaluation and not data_facts(calibration).same_data(data_facts(evaluation)):
        return calibration, evaluation, ""
    total = len(whole.samples)
    count = min(max(total // _PART, _FEWEST), _MOST)
    if total < 2 * count:
        raise InputError(
            f"A search needs samples that guide it and others that prove what it found. {whole.name} has {total:,}, "
            f"which is too few to be split; {2 * _FEWEST} are enough.",
            hint="Pass other data with --calibration. A build without --search splits nothing.",
        )
    proof, guide = whole.split(total - count, seed=_SEED)
    note = (
        f"{whole.name} was split: {count:,} samples guided the search and set ranges, the other {total - count:,} "
        "decided. Pass other data with --calibration to decide on all of them."
    )
    return guide, proof, note


def apart_in_time(evaluation: Dataset) -> tuple[Dataset | None, Dataset, str]:
    """Of samples in the order of time the first ones for ranges, the others to decide, and a sentence about it.

    So no range is set by what engines are judged on, or by what came after it. Of too few samples all decide; then the
    ranges are those of their inputs, as of other data.
    """
    total = len(evaluation.samples)
    count = min(total // _PART, _MOST)
    if not count:
        return None, evaluation, ""
    later, earlier = evaluation.split(total - count)
    note = (
        f"{evaluation.name} was split in the order of time: the first {count:,} samples set ranges, the other "
        f"{total - count:,} decided. Pass data from before with --calibration to decide on all of them."
    )
    return earlier, later, note


def set_apart(
    calibration: Dataset | None, evaluation: Dataset | None, *, search: bool
) -> tuple[Dataset | None, Dataset | None, str]:
    """The data for ranges and the data that decides, and a sentence where one data set was split.

    Raises:
        InputError: There are too few samples for a search.
    """
    if search:
        return data_apart(calibration, evaluation)
    if evaluation is not None and calibration is None and evaluation.ordered:
        return apart_in_time(evaluation)
    return calibration, evaluation, ""
