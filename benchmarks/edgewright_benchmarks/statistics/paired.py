"""Score intervals for shares and for the difference of two paired shares.

A bootstrap of 200 samples without a single disagreement says that nothing can be lost; a score interval says that up
to 1.3 percentage points can. That is why accuracy is bounded by score intervals here.

Sources: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212; T. Tango, Equivalence test
and confidence interval for the difference in proportions for the paired-sample design, Statistics in Medicine 17
(1998), 891-908.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgewright_benchmarks.engine_result import Interval
from edgewright_targets import InputError

# Beyond this many samples the answer is not "measure more" but "this budget cannot be decided".
_MOST_SAMPLES = 10**8


def one_sided_z(confidence: float) -> float:
    """Quantile of the standard normal below which the share `confidence` (0..1) lies."""
    if not 0.5 < confidence < 1:
        raise InputError(f"The confidence is {confidence}; it must be between 0.5 and 1.")
    return NormalDist().inv_cdf(confidence)


def student_quantile(share: float, freedom: float) -> float:
    """The value below which the `share` (0..1) of Student's t distribution lies."""
    # Not scipy.stats: to import it takes longer than all that a small build reckons. Not above: a refusal needs none.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def wilson(successes: int, samples: int, *, confidence: float = 0.95) -> Interval:
    """A share with Wilson's two-sided score interval; it has a width even where all or none succeeded."""
    if not 0 <= successes <= samples or samples == 0:
        raise InputError(f"{successes} of {samples} is not a share.")
    z = one_sided_z((1 + confidence) / 2)
    share = successes / samples
    middle = (share + z * z / (2 * samples)) / (1 + z * z / samples)
    width = z * math.sqrt(share * (1 - share) / samples + z * z / (4 * samples**2)) / (1 + z * z / samples)
    # The ends of the scale are exact; rounding would miss them.
    low = middle - width if successes else 0.0
    return Interval(share, low, middle + width if successes < samples else 1.0, confidence)


def paired_accuracy_drop(
    baseline_correct: ArrayLike, candidate_correct: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """How much accuracy the candidate loses against the baseline on the same samples, with Tango's score bounds.

    Args:
        baseline_correct: Whether the baseline answered right, one bool a sample; shape (samples,).
        candidate_correct: The same for the candidate, in the same order.
        confidence: Of each bound for itself: `high` is the one-sided upper bound and `low` the one-sided lower
            bound, so that the two together enclose the drop with a confidence of `2 * confidence - 1`.

    Returns:
        Share lost, -1 to 1; positive is worse. Where the baseline is right throughout, as in agreement with the
        baseline, `high` is Wilson's one-sided upper bound of the share of disagreements.

    Raises:
        InputError: No samples, or not one value of each for every sample.
    """
    baseline, candidate = _correct(baseline_correct), _correct(candidate_correct)
    if baseline.shape != candidate.shape:
        raise InputError(f"The baseline has {baseline.size} samples, the candidate {candidate.size}.")
    lost = int(np.count_nonzero(baseline & ~candidate))
    gained = int(np.count_nonzero(~baseline & candidate))
    z = one_sided_z(confidence)
    samples = baseline.size
    return Interval(
        value=(lost - gained) / samples,
        low=-_upper_bound(gained, lost, samples, z),
        high=_upper_bound(lost, gained, samples, z),
        confidence=confidence,
    )


def confidence_of_drop(lost: int, gained: int, samples: int, budget: float) -> float:
    """The largest confidence at which the upper bound of `paired_accuracy_drop` is within the budget.

    Tango's score at the budget says it without a search: the bound at `z` is where the score is `-z`.

    Args:
        lost: Samples that the baseline alone has right.
        gained: Samples that the candidate alone has right.
        samples: All of them.
        budget: The largest drop that is allowed, as a share.
    """
    q = _likeliest_gain(lost, gained, samples, budget)
    spread = math.sqrt(max(0.0, samples * (2 * q + budget * (1 - budget))))
    return _below((samples * budget - lost + gained) / spread) if spread else 0.5


def largest_confidence(bound: Callable[[float], float], budget: float) -> float:
    """The largest confidence, 0.5 to 1, at which an upper bound is within the budget; 0 where it is not at 0.5 either.

    Args:
        bound: Confidence to the bound, which grows with it.
        budget: The largest drop that is allowed, as a share.
    """
    # Beyond six standard deviations, one in a billion, nothing here is told apart.
    low, high = 0.0, 6.0
    if bound(_below(1e-6)) > budget:
        return 0.0
    for _ in range(40):  # halves 6.0 to below a millionth of a millionth
        middle = (low + high) / 2
        low, high = (middle, high) if bound(_below(middle)) <= budget else (low, middle)
    return _below(low)


def _below(z: float) -> float:
    """The share of the standard normal below `z`."""
    return (1 + math.erf(z / math.sqrt(2))) / 2


def _correct(values: ArrayLike) -> NDArray[np.bool_]:
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0 or array.dtype != np.bool_:
        raise InputError(f"Expected one bool per sample, found {array.dtype} of shape {array.shape}.")
    return array


def _upper_bound(lost: float, gained: float, samples: float, z: float) -> float:
    """The largest difference that Tango's score test at `z` does not reject; counts may be fractions.

    The test is (lost - gained - n d) / sqrt(n (2 q + d (1 - d))), q being the share of gained samples that is most
    likely if the difference is d.
    """
    low, high = (lost - gained) / samples, 1.0
    for _ in range(60):  # halves 2.0 to below the resolution of a double
        d = (low + high) / 2
        q = _likeliest_gain(lost, gained, samples, d)
        accepted = lost - gained - samples * d + z * math.sqrt(max(0.0, samples * (2 * q + d * (1 - d)))) >= 0
        low, high = (d, high) if accepted else (low, d)
    return high


def _likeliest_gain(lost: float, gained: float, samples: float, d: float) -> float:
    """The share of gained samples that is most likely at the difference `d`: the positive root of 2 n q^2 + b q + c."""
    b = (2 * samples - lost + gained) * d - lost - gained
    c = -gained * d * (1 - d)
    root = math.sqrt(b * b - 8 * samples * c)
    # Both forms are the same root; each is chosen where it subtracts nothing from nearly the same.
    return -2 * c / (root + b) if b > 0 else (root - b) / (4 * samples)


def least_bound(samples: int, *, confidence: float = 0.95) -> float:
    """The upper bound of a drop where not one of so many samples differs, as a share: less cannot be shown with them.

    It is Wilson's bound of a share of which none was seen, which both kinds of drop have here.
    """
    z = one_sided_z(confidence)
    return z * z / (samples + z * z)


def least_samples(bound: float, *, confidence: float = 0.95) -> int:
    """The fewest samples whose `least_bound` is not above `bound`, a share above zero."""
    z = one_sided_z(confidence)
    return math.ceil(z * z * (1 - bound) / bound)


def mean_drop(
    baseline_scores: ArrayLike, candidate_scores: ArrayLike, *, confidence: float = 0.95, span: float = 1.0
) -> Interval:
    """How much of a score per sample the candidate loses on average, with one-sided bounds; positive is worse.

    The bounds are those of the t interval of the mean of the paired differences, but never nearer to it than what
    samples unlike all that were seen could add: of so many samples, a share up to Wilson's bound for none seen may
    have been missed by chance, and each of them may lose (or win) the whole `span`. That is what remains where all
    differences are equal and a t interval would have no width; as it always holds, an engine with equal differences
    is not judged more harshly than one with nearly equal ones. With one sample the bounds are the whole span.

    Args:
        baseline_scores: One score a sample, greater is better; shape (samples,).
        candidate_scores: The same for the candidate, in the same order.
        confidence: Of each bound for itself.
        span: The most that one sample can lose: the width of the scale of the scores.

    Raises:
        InputError: No samples, different numbers of them, or scores that are not finite.
    """
    baseline, candidate = (np.asarray(scores, dtype=np.float64) for scores in (baseline_scores, candidate_scores))
    if baseline.ndim != 1 or baseline.size == 0 or baseline.shape != candidate.shape:
        raise InputError(
            f"Expected one score per sample of both engines, found shapes {baseline.shape} and {candidate.shape}."
        )
    losses = baseline - candidate
    if not np.isfinite(losses).all():
        raise InputError("Scores must be finite; give a sample without a prediction the worst score.")
    high = _mean_bound(losses, losses.size, confidence, span)
    return Interval(float(losses.mean()), -_mean_bound(-losses, losses.size, confidence, span), high, confidence)


def _mean_bound(losses: NDArray[np.float64], samples: int, confidence: float, span: float) -> float:
    """The upper bound of the mean loss, had `samples` samples been seen that are like `losses`."""
    mean = float(losses.mean())
    if losses.size == 1:
        return max(mean, span)
    width = student_quantile(confidence, samples - 1) * losses.std(ddof=1) / math.sqrt(samples)
    z = one_sided_z(confidence)
    unseen = z * z / (samples + z * z)
    return mean + max(float(width), unseen * (span - mean))


def samples_needed(
    seen: tuple[int, int] | NDArray[np.float64],
    samples: int,
    budget: float,
    *,
    confidence: float = 0.95,
    span: float = 1.0,
) -> int | None:
    """About how many samples would bring the upper bound of a drop down to the budget, if they look like those seen.

    Args:
        seen: For accuracy, the numbers of samples (lost, gained) against the baseline. For scores, the loss of each
            sample, as `mean_drop` takes its mean.
        samples: How many were seen.
        budget: The largest drop that is allowed, as a share.
        confidence: That the bound was taken with.
        span: That `mean_drop` was called with.

    Returns:
        None where more samples do not help: the bound is within the budget already, the measured drop is itself not
        below the budget, or more than a hundred million would be needed.
    """
    if isinstance(seen, np.ndarray):
        losses = seen
        return samples_within(lambda n: _mean_bound(losses, n, confidence, span), float(losses.mean()), samples, budget)
    lost, gained = (count / samples for count in seen)
    z = one_sided_z(confidence)
    return samples_within(lambda n: _upper_bound(lost * n, gained * n, n, z), lost - gained, samples, budget)


def samples_within(bound: Callable[[int], float], value: float, samples: int, budget: float) -> int | None:
    """The least number of samples, about, for which a bound is within the budget; None where more samples do not help.

    Args:
        bound: Number of samples to the upper bound of the drop.
        value: The drop itself.
        samples: How many were seen.
        budget: The largest drop that is allowed.
    """
    if value >= budget or bound(samples) <= budget:
        return None
    low, high = samples, 2 * samples
    while bound(high) > budget:
        low, high = high, 2 * high
        if high > _MOST_SAMPLES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if bound(middle) > budget else (low, middle)
    return high
