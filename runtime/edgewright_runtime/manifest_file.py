"""The file of a manifest: `manifest.json` of an ONNX Runtime model package, schema 1.x.

ONNX Runtime owns it and refuses fields it does not know, so everything of ours lives under two keys that it leaves to
others: `additional_metadata.edgewright` for the package and `executor_info.edgewright` for each engine. Both carry the
number of the format that they need, see `FORMAT`.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Protocol

from edgewright_runtime.errors import PackageError, PackageTooNewError
from edgewright_runtime.manifest import FORMAT, LEAST_FORMAT, EnginePart, EngineSpec, Manifest
from edgewright_runtime.options import SESSION_OPTIONS, check_options
from edgewright_runtime.providers import provider
from edgewright_targets.engine_kinds import ENGINE_KINDS, EXECUTORS, PLAIN
from edgewright_targets.errors import first_few, nearest
from edgewright_targets.recipe import Recipe
from edgewright_targets.record import format_needed, read_record, write_record

# A manifest holds names and options, never weights: anything larger is not a manifest of ours.
MANIFEST_LIMIT_BYTES = 16 * 2**20
# Every text is padded to at least so many tokens, so a larger number only takes memory.
_LARGEST_PADDING = 2**16


# ONNX Runtime takes quadratic time for a table of many keys; a build writes some ten, and as many as it has engines.
_MOST_KEYS = 1_000
# The longest pipelines have some ten.
_MOST_STEPS = 256
# Only against nonsense: `verify` knows the outputs, and allows less.
_LARGEST_TOLERANCE = 2.0**64


def _table(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A table of JSON: keys must differ, because ONNX Runtime and Python choose differently between equal ones."""
    if len(pairs) > _MOST_KEYS:
        raise ValueError(f"a table has {len(pairs)} keys; {_MOST_KEYS} are allowed")
    table = dict(pairs)
    if len(table) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice[:100]!r} appears twice")
    return table


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class _Variant(Protocol):
    """A variant as ONNX Runtime's manifest has it, or as a stranger wrote it: nothing about it is sure."""

    def __getitem__(self, key: str, /) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class _EngineRecord:
    """The part of `EngineSpec` under `executor_info.edgewright`; the rest is where ONNX Runtime looks for it."""

    format: int
    target: str
    architecture: str
    precision: str
    recipe: Recipe
    pad_to_multiple_of: int
    tolerance: float
    engine: str = PLAIN
    compared: bool = True
    component_recipes: dict[str, Recipe] = field(default_factory=dict)


def manifest_metadata(manifest: Manifest) -> dict[str, object]:
    """The JSON for `additional_metadata.edgewright`."""
    data: dict[str, object] = write_record(manifest)
    del data["engines"]
    numbers = [_engine_format(spec) for spec in manifest.engines.values()]
    data["format"] = max(LEAST_FORMAT, format_needed(manifest), *numbers)
    return data


def _engine_format(spec: EngineSpec) -> int:
    return max(LEAST_FORMAT, spec.kind.added_in, format_needed(spec))


def engine_variant(spec: EngineSpec, component: str) -> dict[str, object]:
    """The JSON of an engine as a variant of a component in ONNX Runtime's manifest."""
    part = spec.parts[component]
    path = PurePosixPath(part.model_file)
    executor: dict[str, object] = {"model_file": path.name, "session_options": part.session_options}
    if part.provider_options:
        executor["provider_options"] = part.provider_options
    record = _EngineRecord(
        format=_engine_format(spec),
        target=spec.target,
        architecture=spec.architecture,
        precision=spec.precision,
        recipe=spec.recipe,
        pad_to_multiple_of=spec.pad_to_multiple_of,
        tolerance=spec.tolerance,
        engine=spec.engine,
        compared=spec.compared,
        component_recipes=spec.component_recipes,
    )
    return {
        "ep": spec.provider,
        "variant_directory": str(path.parent),
        "executor_info": {spec.kind.executor: executor, "edgewright": write_record(record)},
    }


def read_manifest(text: bytes, where: str) -> Manifest:
    """Parse and check `manifest.json`.

    Raises:
        PackageTooNewError: Written in a newer format.
        PackageError: Not a manifest of ours.
    """
    try:
        data = json.loads(text, object_pairs_hook=_table, parse_constant=_refuse_constant)
        ours = data["additional_metadata"]["edgewright"]
        components = {name: dict(entry["variants"].items()) for name, entry in data["components"].items()}
        written = ours["format"]
        names = dict.fromkeys(name for variants in components.values() for name in variants)
    # RecursionError: brackets nested without end.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PackageError(
            f"{where}: this is not an Edgewright package (manifest.json: {type(error).__name__}: {error}).",
            hint="'edgewright build ... -o NAME.ortpackage' makes packages.",
        ) from error
    _check_format(written, where)
    base = read_record(Manifest, ours, f"{where}: manifest")
    steps = len(base.pipeline.steps) + len(base.pipeline.measured.steps if base.pipeline.measured else ())
    if steps > _MOST_STEPS:
        raise PackageError(f"{where}: the pipeline has {steps} steps; {_MOST_STEPS} are allowed.")
    engines = {name: _engine(name, components, where) for name in names}
    unknown = [name for name in (*base.order, *base.baselines.values()) if name not in engines]
    if unknown or not base.order:
        raise PackageError(f"{where}: the order of engines names {_few(unknown)}; engines: {_few(list(engines))}.")
    unchecked = [name for name in base.baselines.values() if not engines[name].compared]
    if unchecked:
        raise PackageError(
            f"{where}: the float engine {unchecked} is marked as not compared, but everything is compared with it."
        )
    return dataclasses.replace(base, engines=engines)


def _few(names: list[str]) -> str:
    return f"[{first_few(map(repr, names))}]" if names else "nothing"


def _check_format(written: object, where: str) -> None:
    if not isinstance(written, int) or isinstance(written, bool) or written < 1:
        raise PackageError(f"{where}: the format of the package is {written!r}, expected a number.")
    if written > FORMAT:
        raise PackageTooNewError(
            f"{where}: the package has format {written}; this version of Edgewright reads up to {FORMAT}.",
            hint="Upgrade with 'pip install --upgrade edgewright', or build the package again with this version.",
        )


def _as_now(value: object) -> object:
    """What an engine says, with what was said in other words before: attention had a field of its own in recipes."""
    if not isinstance(value, dict):
        return value
    said = {key: _as_now(inner) for key, inner in value.items() if key != "fused_attention"}
    return {**said, "rewrites": ["attention"]} if value.get("fused_attention") is True else said


def _engine(name: str, components: Mapping[str, Mapping[str, _Variant]], where: str) -> EngineSpec:
    place = f"{where}: engine '{name}'"
    if missing := [component for component, variants in components.items() if name not in variants]:
        raise PackageError(f"{place}: incomplete: it has no variant of {first_few(missing)}.")
    variants = {component: variants[name] for component, variants in components.items()}
    try:
        # The number first: a newer format has keys that this reader does not know.
        for variant in variants.values():
            _check_format(variant["executor_info"]["edgewright"]["format"], place)
        records = [
            (variant["ep"], read_record(_EngineRecord, _as_now(variant["executor_info"]["edgewright"]), place))
            for variant in variants.values()
        ]
        parts = {component: _part(variant) for component, variant in variants.items()}
    # RecursionError: a record nested without end.
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PackageError(f"{place}: incomplete ({type(error).__name__}: {error}).") from error
    provider_name, record = records[0]
    if any(other != records[0] for other in records):
        raise PackageError(f"{place}: its components {first_few(parts)} describe it differently.")
    if not isinstance(provider_name, str):
        raise PackageError(f"{place}: ep is {str(provider_name)[:60]}, expected the name of a provider.")
    if record.engine not in ENGINE_KINDS:
        raise PackageError(
            f"{place}: unknown kind of engine '{record.engine[:60]}'.", hint=nearest(record.engine, ENGINE_KINDS)
        )
    # Its fields were checked as those of the record: reading them once more would cost each load time.
    shared = {entry.name: getattr(record, entry.name) for entry in dataclasses.fields(record) if entry.name != "format"}
    read = {
        component: read_record(EnginePart, part, f"{place}: parts.{component}") for component, part in parts.items()
    }
    spec = EngineSpec(name=name, provider=provider_name, parts=read, **shared)
    for part in spec.parts.values():
        check_options(part.session_options, SESSION_OPTIONS, place, "session")
        check_options(part.provider_options, provider(spec.provider).ALLOWED, place, spec.provider)
    if not 1 <= spec.pad_to_multiple_of <= _LARGEST_PADDING:
        raise PackageError(
            f"{place}: pad_to_multiple_of is {spec.pad_to_multiple_of}; expected 1 (no padding) to {_LARGEST_PADDING}."
        )
    if not 0.0 <= spec.tolerance <= _LARGEST_TOLERANCE:
        raise PackageError(
            f"{place}: tolerance is {spec.tolerance:g}; expected a number from 0 to {_LARGEST_TOLERANCE:g}."
        )
    return spec


def _part(variant: _Variant) -> dict[str, object]:
    # What ONNX Runtime cannot run has an executor of its own, which it leaves alone.
    infos = variant["executor_info"]
    executor = infos[next((name for name in EXECUTORS if name in infos), EXECUTORS[0])]
    return {
        "model_file": f"{variant['variant_directory']}/{executor['model_file']}",
        "session_options": executor.get("session_options", {}),
        "provider_options": executor.get("provider_options", {}),
    }
