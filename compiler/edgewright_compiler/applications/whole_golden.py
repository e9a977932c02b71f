"""Golden samples of a whole application: which ones, with the answers of float, and how near others have to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edgewright_benchmarks.applications.float_whole import float_engines
from edgewright_compiler.graphs.precision_difference import tolerance_for
from edgewright_runtime.applications.application import Application, ApplicationPackage, GoldenFacts
from edgewright_runtime.applications.golden import WholeSample, stored_form
from edgewright_runtime.applications.selftest import MOST_TOLERANCE, answers_apart
from edgewright_runtime.errors import SampleError

# So many travel in a package, as of its models, and so many are tried to find them.
_KEPT, _TRIED = 8, 24
# Shares up to this are rounding: the order of a sum.
_FLOOR = 1e-4


@dataclass(frozen=True)
class GoldenWhole:
    """Golden samples that were made.

    Attributes:
        samples: With the answers of the float engines.
        facts: What the package says of them; None where there are none.
        otherwise: Samples that were tried and left out, as the chosen engines answer them otherwise than float.
        tried: How many were tried, which ends where enough are kept.
    """

    samples: tuple[WholeSample, ...]
    facts: GoldenFacts | None
    otherwise: int
    tried: int

    def sentence(self) -> str:
        """What there is to say of them; empty where all is as expected."""
        if not self.otherwise:
            return ""
        kept = f"the other {len(self.samples)}" if self.samples else "none"
        return (
            f"The chosen engines answer {self.otherwise} of {self.tried} samples otherwise than float does; {kept} "
            "can be golden samples of the whole."
        )


def make_golden(package: ApplicationPackage, samples: Sequence[Mapping[str, object]]) -> GoldenWhole:
    """Answer samples with the float engines and with those that run here, and keep those that both answer alike.

    A sample on which the chosen engines differ from float in a text would fail on the machine that built it.

    Args:
        package: The application.
        samples: Its inputs by name.
    """
    tried = samples[:_TRIED]
    with Application(package) as application:
        chosen = [_answers(application, one) for one in tried]
        baselines = float_engines(package, application.engines)
    if baselines is None:
        floats = chosen
    else:
        # A limit is for the chosen engines: float may need more.
        with Application(replace(package, max_memory=None), engines=baselines) as application:
            floats = [_answers(application, one) for one in tried]
    kept: list[WholeSample] = []
    largest, otherwise, compared = 0.0, 0, 0
    for sample, answers, own in zip(tried, floats, chosen, strict=True):
        if len(kept) == _KEPT:
            break
        compared += 1
        if answers is None and own is None:
            continue
        golden = WholeSample(sample, {name: stored_form(value) for name, value in (answers or {}).items()})
        apart = answers_apart(own or {}, golden)
        if answers is None or own is None or apart.place or tolerance_for(apart.largest, _FLOOR) > MOST_TOLERANCE:
            otherwise += 1
            continue
        kept.append(golden)
        largest = max(largest, apart.largest)
    facts = GoldenFacts(len(kept), tolerance_for(largest, _FLOOR)) if kept else None
    return GoldenWhole(tuple(kept), facts, otherwise, compared)


def _answers(application: Application, sample: Mapping[str, object]) -> Mapping[str, object] | None:
    try:
        return application(dict(sample))
    except SampleError:
        return None
