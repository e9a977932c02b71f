"""`edgewright targets show` and `edgewright targets doctor`: one target in full, and all of them from here."""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING, Any

from edgewright_cli.console import bold, print_json, table, wrapped
from edgewright_targets import host_facts, load_target, target_names
from edgewright_targets.engine_kinds import PLAIN
from edgewright_targets.installed import needs
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_compiler.reach.doctor import Reach
    from edgewright_targets import Recipe, Target

_SUFFIX = "ExecutionProvider"
_REMOTE = (
    "'bench' and 'verify' with --device ssh://user@host run on the hardware itself. That gives the rung "
    "'measured' for every target."
)
_NO_SSH = "OpenSSH's client is not installed, so devices cannot be reached: apt-get install openssh-client."


def show(name: str, *, json: bool) -> int:
    """Print everything about one target."""
    target = _checked(name)
    reach = _reach(target)
    if json:
        print_json({**write_record(target), "from_here": _data(reach)})
        return 0
    print(wrapped(target.title, "  ", f"{bold(target.name)}: "))
    print()
    facts = {key.replace("_", " "): value for key, value in _scalars(target).items() if value}
    # That rung is what an ordinary host reaches; here may be more or less.
    facts["best rung elsewhere"] = facts.pop("rung")
    facts["rung from here"] = reach.rung
    width = max(len(key) for key in facts)
    for key, value in facts.items():
        print(wrapped(str(value), " " * (width + 2), f"{key.ljust(width)}  "))
    print()
    for line in (reach.reason, *reach.missing):
        print(wrapped(line))
    print()
    rows = [
        (
            candidate.name,
            candidate.provider.removesuffix(_SUFFIX),
            candidate.precision,
            candidate.recipe.method,
            reach.candidates[candidate.name],
        )
        for candidate in target.candidates
    ]
    print(table(("candidate", "provider", "precision", "method", "from here"), rows))
    print()
    for candidate in target.candidates:
        words = _options(candidate.recipe, candidate)
        if words:
            print(wrapped(words, "  ", f"{candidate.name}: "))
    if target.name in target_names():
        print()
        place = f"edgewright_targets/{target.name}.toml, or in the file that it extends"
        print(wrapped(f"The source of each number is beside it in {place}."))
    return 0


def doctor(*, json: bool) -> int:
    """Print how far evidence for each target goes from here, and what is missing."""
    facts = host_facts()
    found = [_reach(load_target(name)) for name in target_names()]
    ssh = shutil.which("ssh")
    if json:
        print_json(
            {"machine": write_record(facts), "targets": [_data(reach) for reach in found], "ssh": ssh is not None}
        )
        return 0
    print(wrapped(f"From this machine ({facts.cpu}, {facts.architecture}):"))
    print()
    rows = [(reach.target, reach.rung, _counts(reach), _numbers(reach, found)) for reach in found]
    print(table(("target", "rung", "candidates", "missing"), rows))
    print()
    for number, sentence in enumerate(_sentences(found), 1):
        print(wrapped(sentence, "    ", f"({number}) "))
    if ssh is None:
        print(wrapped(_NO_SSH))
    print(wrapped(_REMOTE))
    return 0


def _checked(name: str) -> Target:
    """The target; that tasks in a file of the user's own are tasks, the compiler knows."""
    if not name.endswith(".toml"):
        return load_target(name)
    with needs("compiler"):
        from edgewright_compiler.tasks import TASKS
    return load_target(name, [task.name for task in TASKS])


def _reach(target: Target) -> Reach:
    with needs("compiler"):
        from edgewright_compiler.reach.doctor import reach
    return reach(target)


def _data(reach: Reach) -> dict[str, object]:
    data: dict[str, object] = write_record(reach)
    return data


def _scalars(record: Any) -> dict[str, object]:
    """The fields of a dataclass that are one value each; `name` and `title` are said elsewhere."""
    values = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return {
        key: value
        for key, value in values.items()
        if key not in ("name", "title") and isinstance(value, str | int | float | bool)
    }


def _options(recipe: Recipe, candidate: Any) -> str:
    """What decides a candidate beside its names: what of its recipe is not usual, and its options; may be empty."""
    usual = write_record(type(recipe)())
    changed = {key: value for key, value in write_record(recipe).items() if value != usual.get(key) and key != "method"}
    words = [f"{key.replace('_', ' ')} {_plain(value)}" for key, value in changed.items()]
    words += [f"{key}={value}" for key, value in {**candidate.session_options, **candidate.provider_options}.items()]
    if candidate.engine != PLAIN:
        words.append(f"engine {candidate.engine}")
    if candidate.pad_to_multiple_of > 1:
        words.append(f"padded to multiples of {candidate.pad_to_multiple_of}")
    if candidate.without_isa:
        words.append(f"only on processors without {' and '.join(candidate.without_isa)}")
    if candidate.with_isa:
        words.append(f"only on processors with {' or '.join(candidate.with_isa)}")
    if candidate.quantized_only:
        words.append("only for graphs that are already quantized")
    if candidate.threads:
        words.append("1 thread" if candidate.threads == 1 else f"{candidate.threads} threads")
    if candidate.fixed_axes:
        words.append("only where all samples have one shape")
    if candidate.search_only:
        words.append("only with --search")
    return ", ".join(words)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _counts(reach: Reach) -> str:
    rungs = list(reach.candidates.values())
    return ", ".join(f"{rungs.count(rung)} {rung}" for rung in dict.fromkeys(rungs))


def _sentences(found: list[Reach]) -> list[str]:
    return list(dict.fromkeys(sentence for reach in found for sentence in reach.missing))


def _numbers(reach: Reach, found: list[Reach]) -> str:
    numbers = {sentence: number for number, sentence in enumerate(_sentences(found), 1)}
    return " ".join(f"({numbers[sentence]})" for sentence in reach.missing)
