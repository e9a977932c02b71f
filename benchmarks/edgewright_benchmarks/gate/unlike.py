"""Whether two results can be compared: the facts in which their machines, data, settings or models differ."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.gate.loaded import scenario_settings
from edgewright_benchmarks.result import Result

# Virtual machines of one kind report a little more or less memory.
_SAME_MEMORY = 0.1


@dataclass(frozen=True)
class UnlikeFact:
    """A fact that differs: what it is, and of which side it is what."""

    fact: str
    base: str
    new: str

    def words(self) -> str:
        """For people: `processor: 'A' and 'B'`."""
        return f"{self.fact}: {self.base or 'unknown'!r} and {self.new or 'unknown'!r}"


def unlike_facts(base: Result, new: Result) -> tuple[UnlikeFact, ...]:
    """Facts that make figures of two results another thing; nothing where they may be compared."""
    one, other = (result.engine(result.chosen) for result in (base, new))
    return _differing(
        (
            *_model(base, new, one, other),
            ("architecture of the machine", base.machine.architecture, new.machine.architecture),
            ("processor", base.machine.cpu, new.machine.cpu),
            ("cores", base.machine.cores, new.machine.cores),
            ("logical processors", base.machine.threads, new.machine.threads),
            ("instruction sets", " ".join(base.machine.features), " ".join(new.machine.features)),
            *_memory(base, new),
            ("samples", base.data.samples, new.data.samples),
            ("digest of the data", _short(base.data.digest), _short(new.data.digest)),
            ("labelled data", base.data.labelled, new.data.labelled),
            ("threads of an engine", base.settings.threads, new.settings.threads),
            ("busy programs beside", base.settings.beside, new.settings.beside),
            *scenario_settings(one, other),
        )
    )


def _model(base: Result, new: Result, one: EngineResult, other: EngineResult) -> tuple[tuple[str, object, object], ...]:
    return (
        ("model", base.model, new.model),
        ("task", base.task, new.task),
        ("measure", base.measure, new.measure),
        ("functions of your own", _own(base), _own(new)),
        ("target", one.target, other.target),
        ("rung", one.rung, other.rung),
    )


def _own(result: Result) -> str:
    return ", ".join(one.words() for one in result.own_code) or "none"


def _memory(base: Result, new: Result) -> tuple[tuple[str, object, object], ...]:
    sizes = base.machine.memory_bytes, new.machine.memory_bytes
    if max(sizes) - min(sizes) <= _SAME_MEMORY * max(sizes):
        return ()
    return (("memory of the machine", *(f"{size / 1e9:.1f} GB" for size in sizes)),)  # type: ignore[return-value] # two


def other_facts(base: Result, new: Result) -> tuple[UnlikeFact, ...]:
    """Facts that may well differ between two versions of a package, and are said beside the figures."""
    names = sorted(base.versions.keys() | new.versions.keys())
    return _differing(
        (
            ("engine", base.chosen, new.chosen),
            ("operating system", base.machine.system, new.machine.system),
            ("Python", base.machine.python, new.machine.python),
            *(
                (name, base.versions.get(name, "not installed"), new.versions.get(name, "not installed"))
                for name in names
            ),
        )
    )


def _differing(facts: tuple[tuple[str, object, object], ...]) -> tuple[UnlikeFact, ...]:
    return tuple(UnlikeFact(name, str(one), str(other)) for name, one, other in facts if one != other)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:16]
