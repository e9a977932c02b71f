"""Does a whole application still answer as it did when it was built? Its golden samples, from inputs to answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgewright_runtime.applications.application import ApplicationPackage, load_application
from edgewright_runtime.applications.golden import Difference, WholeSample, difference, stored_form
from edgewright_runtime.errors import DamagedPackageError, SampleError
from edgewright_runtime.gaps import beside_limit
from edgewright_targets.errors import CheckFailedError

# What a build may write at most: differences are shares, so that more would let everything pass.
MOST_TOLERANCE = 1.0


@dataclass(frozen=True)
class WholeTestReport:
    """What the self-test of a whole application found; it raises instead where an answer differs.

    Attributes:
        samples: Golden samples that were run.
        engines: Model to the engine that answered.
        difference: Largest difference of any number of an answer from the stored one, as a share.
        tolerance: What was allowed.
    """

    samples: int
    engines: dict[str, str]
    difference: float
    tolerance: float


def verify_whole(package: ApplicationPackage) -> WholeTestReport | None:
    """Run the golden samples of the whole through the engines that run here; None where it was built without.

    Raises:
        DamagedPackageError: The samples are not those that the package says, one lacks an answer, or the tolerance lets
            everything pass.
        CheckFailedError: A text differs, or a number by more than the tolerance.
    """
    if package.golden is None:
        return None
    samples, allowed = package.golden_samples(), package.golden.tolerance
    if len(samples) != package.golden.samples or not samples or not 0 <= allowed <= MOST_TOLERANCE:
        raise DamagedPackageError(
            f"'{package.root}' says {package.golden.samples} golden samples with the tolerance {allowed:.3g}; it has "
            f"{len(samples)}, and builds write a tolerance of at most {MOST_TOLERANCE:g}.",
            hint="Get the package again from where it was built, or build it again.",
        )
    wanted = set(package.checked.flow.answer)
    for index, sample in enumerate(samples):
        if lacking := wanted.symmetric_difference(sample.answers):
            raise DamagedPackageError(
                f"'{package.root}': golden sample {index} has not the answers of the application; one that differs is "
                f"'{min(lacking)[:60]}'.",
                hint="Get the package again from where it was built, or build it again.",
            )
    worst = 0.0
    with load_application(package) as application:
        for index, sample in enumerate(samples):
            try:
                answers: Mapping[str, object] = application(dict(sample.inputs))
            except SampleError as error:
                raise _failed(f"fails on golden sample {index}: {error.message}") from error
            found = answers_apart(answers, sample)
            if found.place:
                raise _failed(f"answers golden sample {index} otherwise: {found.place}.")
            worst = max(worst, found.largest)
        engines = {name: info.name for name, info in application.engines.items()}
    # A comparison with NaN is False, so the check is written the way round that lets none through.
    if not worst <= allowed:
        shown, limit = beside_limit(worst, allowed)
        raise _failed(f"differs from its stored answers by {shown}; {limit} is allowed.")
    return WholeTestReport(len(samples), engines, worst, allowed)


def answers_apart(answers: Mapping[str, object], stored: WholeSample) -> Difference:
    """How far the answers for a sample are from those stored with it."""
    apart = [
        difference(stored_form(answers.get(name)), expected, f"'{name}'") for name, expected in stored.answers.items()
    ]
    place = next((one.place for one in apart if one.place), "")
    return Difference(max((one.largest for one in apart), default=0.0), place)


def _failed(what: str) -> CheckFailedError:
    return CheckFailedError(
        f"The application {what}",
        hint="The engines of its models compute differently here than where it was built. Build it on this machine.",
    )
