"""Targets by their names: those that come with Edgewright, this machine's, and files of the user's own.

    >>> from edgewright_targets import load_target
    >>> load_target("x86-64").candidates[0].name
    'cpu-fp32'

A target is one TOML file in this folder. Adding one is adding that file: it is found by its name.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from edgewright_targets.declared import declared_text
from edgewright_targets.errors import InputError, nearest
from edgewright_targets.host import host_facts
from edgewright_targets.target import Target
from edgewright_targets.target_file import own_text, target_names
from edgewright_targets.target_reader import read_target

HOST = "host"


def host_target_name() -> str | None:
    """The target that this machine is, or None where no target has its architecture.

    It is the one named after the architecture. A board's target has the same architecture, and is asked for by name.
    """
    name = host_facts().architecture.replace("_", "-")
    return name if name in target_names() else None


def load_target(name: str, tasks: Collection[str] | None = None) -> Target:
    """The target called `name`: one of `target_names()`, `host`, or the path of a TOML file of the user's own.

        >>> from edgewright_targets import load_target
        >>> load_target("raspberry-pi-5").architecture
        'aarch64'

    Args:
        name: Name or path.
        tasks: Names of all tasks, which candidates for some tasks only are checked against. What tasks there are is
            known in rooms above this one; None does not check.

    Raises:
        InputError: No such target, or its file is not a valid target.
    """
    if name == HOST:
        host = host_target_name()
        if host is None:
            machine = host_facts().architecture
            raise InputError(
                f"No target describes this machine (architecture {machine}).",
                hint=f"Write a target file and pass its path. Known targets: {', '.join(target_names())}.",
            )
        return load_target(host, tasks)
    if name.endswith(".toml"):
        path = Path(name)
        return read_target(path.stem, declared_text(path, "target file"), name, tasks)
    if name not in target_names():
        raise InputError(f"Unknown target '{name}'.", hint=nearest(name, [HOST, *target_names()]))
    return read_target(name, own_text(name), f"{name}.toml", tasks)
