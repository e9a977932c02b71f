"""What each group of a graph costs in float and in its low precision, from the profiler of the provider.

Profilers name the nodes that really run, which are not those of the graph: several were fused to one, others were added
to turn numbers into another type or order. They are brought back to the groups by their names, which begin with the
name of a node or a value that they were made of, and else by what takes their outputs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_benchmarks.child_process import ending, last_words
from edgewright_compiler.building.stored_arrays import write_arrays
from edgewright_compiler.search._profile_process import (
    FEEDS,
    GRAPHS,
    OPTIMIZED,
    REQUEST,
    RESPONSE,
    NodeTime,
    ProfileRequest,
    ProfileResponse,
)
from edgewright_compiler.search.facts import Border, Group
from edgewright_targets.record import read_record, write_record

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_compiler.search.groups import LowForm
    from edgewright_runtime.wire import Arrays

_COMMAND = (sys.executable, "-P", "-m", "edgewright_compiler.search._profile_process")
# Beyond the time that was asked for: loading, and the fewest rounds of a slow graph.
_GRACE_SECONDS = 600
# Feeds of a profile: enough for texts of several lengths.
PROFILED_FEEDS = 4
# What ONNX Runtime puts before the name of a node that it fused.
_FUSED = "fused "
# What turning a value takes where a profile has no conversion of many values. ONNX Runtime 1.32 needed 0.15 ns on a
# core with AVX-512; others need more.
_CONVERSION_SECONDS = 5e-10
# Below, a conversion is mostly the call of a kernel.
_MANY_VALUES = 4096
_PAIR = frozenset({"QuantizeLinear", "DequantizeLinear"})


class NoCostsError(Exception):
    """There is no profile that says anything of the groups; the text says why, for people."""


@dataclass(frozen=True)
class Costs:
    """Seconds of a call.

    Attributes:
        groups: Group to its seconds in float and in its low precision.
        float_seconds: Of all nodes of the float graph.
        low_seconds: Of all nodes of the quantized graph.
        borders: Between groups that are both quantized.
    """

    groups: Mapping[Group, tuple[float, float]]
    float_seconds: float
    low_seconds: float
    borders: tuple[Border, ...] = ()


def profile(place: Path, feeds: Sequence[Arrays], request: ProfileRequest) -> ProfileResponse:
    """Run both graphs with the profiler on, in a process of its own.

    Args:
        place: A folder with the graphs as `float/model.onnx` and `low/model.onnx`, each with its weights beside it.
        feeds: What they are given.
        request: How they run.

    Raises:
        NoCostsError: The process gave no profile.
    """
    write_arrays(place / FEEDS, {"feeds": feeds})
    (place / REQUEST).write_text(json.dumps(write_record(request)), encoding="utf-8")
    # It runs in another folder, where relative entries of the path would mean something else.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry)}  # noqa: PTH100
    limit = request.seconds + _GRACE_SECONDS
    try:
        done = subprocess.run(_COMMAND, cwd=place, env=environment, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired as error:
        raise NoCostsError(f"The profile did not end within {limit:.0f} seconds.") from error
    if not (place / RESPONSE).exists():
        printed = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()
        raise NoCostsError(f"The process of the profile ended {ending(done.returncode)}.{last_words(printed)}")
    response = read_record(ProfileResponse, json.loads((place / RESPONSE).read_text(encoding="utf-8")), RESPONSE)
    if response.error is not None:
        raise NoCostsError(f"{request.provider} gave no profile: {response.error}")
    return response


def costs(
    place: Path, response: ProfileResponse, model: onnx_ir.Model, low: onnx_ir.Model, forms: Sequence[LowForm]
) -> Costs:
    """The costs of groups from a profile.

    Args:
        place: The folder of the profile.
        response: What was found.
        model: The float graph, from which the groups were found.
        low: The quantized graph.
        forms: The groups.

    Raises:
        NoCostsError: No node of the profile belongs to a group.
    """
    owners = _owners(model, low, forms)
    totals, parts = {}, {}
    for name in GRAPHS:
        nodes = response.nodes.get(name, ())
        totals[name] = sum(node.seconds for node in nodes)
        parts[name] = _by_group(nodes, owners, _Optimized(place / name / OPTIMIZED))
        if not any(parts[name].values()):
            raise NoCostsError("The profile has no node that could be told to be one of the graph's.")
    borders = _borders(forms, response, owners)
    found = {form.group: (parts[GRAPHS[0]][index], parts[GRAPHS[1]][index]) for index, form in enumerate(forms)}
    return Costs(found, totals[GRAPHS[0]], totals[GRAPHS[1]], borders)


def _owners(model: onnx_ir.Model, low: onnx_ir.Model, forms: Sequence[LowForm]) -> dict[str, tuple[int, ...]]:
    """Names of nodes and values to the groups that they are of; those outside groups to none."""
    inside = {node: (index,) for index, form in enumerate(forms) for node in form.float_nodes}
    sharing: dict[onnx_ir.Node, tuple[int, ...]] = defaultdict(tuple)
    ends: dict[onnx_ir.Node, tuple[int, ...]] = {}
    for index, form in enumerate(forms):
        for node in form.low_nodes:
            sharing[node] += (index,)
        # What turns an output back is caused by who gives it; what turns an input, by all who take it.
        ends.update(dict.fromkeys(_pair_after(form), (index,)))
    found: dict[str, tuple[int, ...]] = {}
    for node in model.graph:
        for name in _names(node):
            found[name] = inside.get(node, ())
    for node in low.graph:
        for name in _names(node):
            found.setdefault(name, ends.get(node) or sharing.get(node, ()))
    return found


def _pair_after(form: LowForm) -> Iterator[onnx_ir.Node]:
    """The QDQ pair on the output of a group, from its end; nothing where it has none."""
    last = form.output.producer()
    while last is not None and last.op_type in _PAIR:
        yield last
        last = None if last.inputs[0] is None else last.inputs[0].producer()


def _borders(
    forms: Sequence[LowForm], response: ProfileResponse, owners: Mapping[str, tuple[int, ...]]
) -> tuple[Border, ...]:
    """Where one group gives its output to another as it is, and what a conversion there would cost.

    A conversion costs for each value what the fastest of the profile cost, at least what the shortest of them took.
    """
    pairs = [node for node in response.nodes[GRAPHS[1]] if node.operator in _PAIR]
    rates = [node.seconds / node.values for node in pairs if node.values >= _MANY_VALUES]
    each = min(rates, default=_CONVERSION_SECONDS)
    least = min((node.seconds for node in pairs), default=0.0)
    values: dict[int, float] = {}
    for node in response.nodes[GRAPHS[0]]:
        # In the order in which they ran: the last one of a group gives its output.
        values.update(dict.fromkeys(known_owners(node.name, owners) or (), node.values))
    givers = {node: index for index, form in enumerate(forms) for node in _pair_after(form)}
    found: dict[tuple[int, int], float] = {}
    for taker, form in enumerate(forms):
        for giver in {givers[node] for node in form.low_nodes if node in givers} - {taker}:
            found[giver, taker] = max(least, each * values.get(giver, 0.0))
    return tuple(
        Border(giver=forms[giver].group, taker=forms[taker].group, seconds=seconds)
        for (giver, taker), seconds in found.items()
    )


def _names(node: onnx_ir.Node) -> Iterator[str]:
    if node.name:
        yield node.name
    yield from (value.name for value in node.outputs if value.name)


def _by_group(
    nodes: Sequence[NodeTime], owners: Mapping[str, tuple[int, ...]], optimized: _Optimized
) -> dict[int, float]:
    found: dict[int, float] = defaultdict(float)
    for node in nodes:
        groups = known_owners(node.name, owners)
        if groups is None:
            groups = optimized.owners(node.name, owners)
        for index in groups:
            found[index] += node.seconds / len(groups)
    return found


def known_owners(name: str, owners: Mapping[str, tuple[int, ...]]) -> tuple[int, ...] | None:
    """The groups of the longest known name that this one begins with; None where there is none."""
    name = name.removeprefix(_FUSED)
    if name in owners:
        return owners[name]
    for end in range(len(name) - 1, 0, -1):
        # A name ends where a word does: `conv_1` does not begin `conv_12`.
        if not name[end].isalnum() and name[:end] in owners:
            return owners[name[:end]]
    return None


class _Optimized:
    """The graph that really ran, where the provider wrote it."""

    def __init__(self, path: Path) -> None:
        import onnx_ir

        self._nodes: dict[str, onnx_ir.Node] = {}
        if path.exists():
            self._nodes = {str(node.name): node for node in onnx_ir.load(path).graph.all_nodes()}

    def owners(self, name: str, owners: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
        """The groups of what a node gives, else of those that take it: it was added for them."""
        node = self._nodes.get(name)
        waiting, seen = [node], {node}
        found: set[int] = set()
        while waiting:
            one = waiting.pop(0)
            if one is None:
                continue
            known = [groups for value in one.outputs if (groups := known_owners(str(value.name), owners)) is not None]
            if one is not node:
                known += [groups] if (groups := known_owners(str(one.name), owners)) is not None else []
            if known:
                found.update(index for groups in known for index in groups)
                continue
            for follower in (use.node for value in one.outputs for use in value.uses()):
                if follower not in seen:
                    seen.add(follower)
                    waiting.append(follower)
        return tuple(sorted(found))
