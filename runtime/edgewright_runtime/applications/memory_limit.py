"""What the models of an application need, and whether a limit has room for them.

What is counted is stated in `docs/applications.md`: what the build measured of each engine, and of a process without a
model; where nothing was measured, the files of an engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgewright_runtime.errors import MemoryLimitError
from edgewright_runtime.loading import first_choice
from edgewright_runtime.package import Package


@dataclass(frozen=True)
class MemoryFacts:
    """What a build knows of the memory that an application takes.

    Attributes:
        process_bytes: Resident memory of a process that has opened it, before a model is loaded.
        model_bytes: Model -> engine -> what that engine adds to a process at its peak.
    """

    process_bytes: int = 0
    model_bytes: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class MemoryLimit:
    """A limit that has room for each model alone.

    Attributes:
        most: Bytes that all together may take.
        process: Bytes of the process without a model.
        needs: Model -> its bytes.
    """

    most: int
    process: int
    needs: Mapping[str, int]

    def has_room(self, names: set[str]) -> bool:
        """Whether these models fit in together."""
        return self.process + sum(self.needs[name] for name in names) <= self.most


def memory_limit(
    packages: Mapping[str, Package], most: int, facts: MemoryFacts, engines: Mapping[str, str] | None = None
) -> MemoryLimit:
    """The limit with what each model needs.

    Args:
        packages: Model -> its package.
        most: Bytes that all together may take.
        facts: What the build knows.
        engines: Model -> the engine that is asked for by name.

    Raises:
        MemoryLimitError: It is below what a model needs alone; the message has all models with their sizes.
    """
    asked = engines or {}
    needs = {name: engine_need(package, name, facts, asked.get(name)) for name, package in packages.items()}
    if facts.process_bytes + max(needs.values(), default=0) > most:
        ranked = sorted(needs, key=lambda name: needs[name], reverse=True)
        sizes = ", ".join(f"{name} {_megabytes(needs[name])}" for name in ranked)
        own = f", and the process without a model {_megabytes(facts.process_bytes)}" if facts.process_bytes else ""
        raise MemoryLimitError(
            f"A limit of {_megabytes(most)} of memory is below what one model needs. The models take {sizes}{own}.",
            hint=f"Allow at least {_megabytes(facts.process_bytes + max(needs.values()), up=True)}, or take a smaller "
            f"model in the place of '{ranked[0]}'.",
        )
    return MemoryLimit(most, facts.process_bytes, needs)


def engine_need(package: Package, name: str, facts: MemoryFacts, engine: str | None = None) -> int:
    """Bytes that a model needs: what was measured of the engine that is tried first here, else its files."""
    chosen = first_choice(package, engine=engine).name
    measured = facts.model_bytes.get(name, {}).get(chosen)
    return engine_file_bytes(package, chosen) if measured is None else measured


def engine_file_bytes(package: Package, engine: str) -> int:
    """Bytes of the files of an engine, its weights."""
    return sum(path.stat().st_size for path in package.engine_files(engine) if path.is_file())


def _megabytes(size: int, *, up: bool = False) -> str:
    # What is advised must be enough.
    return f"{(-(-size // 10**5)) / 10:,.1f} MB" if up else f"{size / 1e6:,.1f} MB"
