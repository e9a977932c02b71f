"""The limit of memory of an application in a build: what its models need, and whether the peak keeps it."""

from __future__ import annotations

from dataclasses import replace

from edgewright_benchmarks.applications.whole_memory import memory_facts
from edgewright_benchmarks.applications.whole_result import WholeResult
from edgewright_benchmarks.progress import Progress
from edgewright_runtime.applications.application import ApplicationPackage
from edgewright_runtime.applications.memory_limit import MemoryFacts, engine_need, memory_limit
from edgewright_targets import InputError


def with_limit(package: ApplicationPackage, most: int | None, progress: Progress) -> ApplicationPackage:
    """The application with its limit, and with what each of its models needs.

    Args:
        package: The application, in the making.
        most: Bytes; None is no limit.
        progress: Hears of the work.

    Raises:
        MemoryLimitError: The limit is below what one model needs.
    """
    if most is None:
        return package
    progress.note("Reading the memory of a process without a model")
    facts = memory_facts(package)
    memory_limit(package.models, most, facts)
    return replace(package, max_memory=most, memory=facts)


def facts_for_limits(package: ApplicationPackage, result: WholeResult | None) -> MemoryFacts | None:
    """What a package says of its memory, so that a later limit can count with it; None where nothing was read."""
    if package.max_memory is not None:
        return package.memory
    if result is None or result.memory is None:
        return None
    return memory_facts(package, result.memory.empty_bytes)


def check_peak(package: ApplicationPackage, result: WholeResult) -> None:
    """Raise where the whole, as it was measured, takes more than its limit.

    Raises:
        InputError: It takes more, or its memory could not be read; the message has the sizes.
    """
    if package.max_memory is None:
        return
    limit = f"the limit is {_megabytes(package.max_memory)}"
    if result.memory is None:
        unread = next((one for one in result.warnings if one.startswith("The memory of the whole")), "")
        raise InputError(f"Whether the limit of memory is kept is not known: {limit}. {unread}".strip())
    if result.memory.peak_bytes <= package.max_memory:
        return
    asked = package.asked_engines()
    needs = {name: engine_need(one, name, package.memory, asked.get(name)) for name, one in package.models.items()}
    sizes = ", ".join(f"{name} {_megabytes(needs[name])}" for name in sorted(needs, key=lambda one: -needs[one]))
    raise InputError(
        f"A process that runs the whole takes {_megabytes(result.memory.peak_bytes)} of memory at its peak, and "
        f"{limit}. It counts {_megabytes(package.memory.process_bytes)} without a model, and of models: {sizes}.",
        hint=f"Allow {_megabytes(result.memory.peak_bytes, up=True)}, or take smaller models.",
    )


def _megabytes(size: int, *, up: bool = False) -> str:
    return f"{-(-size // 10**6):,} MB" if up else f"{size / 1e6:,.1f} MB"
