"""What a package says about itself, as typed and immutable values.

ONNX Runtime owns the file (`manifest.json` of a model package, schema 1.x) and refuses fields it does not know, so
everything of ours lives under two keys that it leaves to others: `additional_metadata.edgewright` for the package and
`executor_info.edgewright` for each engine. Both carry `FORMAT`.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

from edgewright_runtime.errors import PackageError, PackageTooNewError
from edgewright_targets.hardware import Hardware
from edgewright_targets.recipe import Recipe
from edgewright_targets.record import read_record, write_record

FORMAT = 1
COMPONENT = "model"
ASSET_FOLDER = "shared_assets"
THREADS_KEY = "intra_op_num_threads"
PLAN_EXECUTOR = "tensorrt"
# Kinds of engine that ONNX Runtime does not run; the flavours in `edgewright_runtime.trt`.
PLAN_ENGINES = ("tensorrt-rtx", "tensorrt")
EXTERNAL_WEIGHTS_KEY = "session.model_external_initializers_file_folder_path"

# A manifest holds names and options, never weights: anything larger is no manifest of ours.
MANIFEST_LIMIT_BYTES = 16 * 2**20


@dataclass(frozen=True)
class StepSpec:
    """One declared step of the way from input to answer: its name in `steps.STEPS`, and its options."""

    step: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MeasuredSpec:
    """How engines are compared where their answers cannot be, as with texts that part at the first other token.

    Or where a score needs more than a person is given, as with boxes of low scores.

    Attributes:
        steps: From a sample to `outputs`, which are compared.
        answer: Name of a value of these steps that goes to the scorer as well, for what is no array of scores.
        call: Options of a call whose time is taken, such that every engine does the same work.
    """

    steps: tuple[StepSpec, ...]
    answer: str
    call: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PartSpec:
    """A part of the way that can be gone alone, such as that of a text to its vector.

    Attributes:
        steps: Which of the steps, counted from 0, in their order.
        output: Name of the value that a caller gets.
    """

    steps: tuple[int, ...]
    output: str


@dataclass(frozen=True)
class PipelineSpec:
    """The whole way of a sample as data.

    Attributes:
        input: Name of the value that a caller gives, or `*`: the caller gives named arrays.
        output: Name of the value that a caller gets, or `*`: all outputs of the last component.
        steps: Run in order; each reads and writes named values.
        measured: How engines are compared; None is by these steps.
        parts: Input to the part of the way that needs no other.
    """

    input: str
    output: str
    steps: tuple[StepSpec, ...]
    measured: MeasuredSpec | None = None
    parts: dict[str, PartSpec] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceFacts:
    """Where the model came from: kind of source, its name (no folder), digest of its files."""

    kind: str
    name: str
    digest: str


@dataclass(frozen=True)
class EnginePart:
    """One component of an engine.

    Attributes:
        model_file: ONNX file or plan, relative to the package.
        session_options: ONNX Runtime session options; asset URIs are not resolved yet.
        provider_options: Options of the provider.
    """

    model_file: str
    session_options: dict[str, str]
    provider_options: dict[str, str]


@dataclass(frozen=True)
class EngineSpec:
    """One engine of a package: a candidate compiled for a target, all components of the model together.

    Attributes:
        name: Variant name, `<target>-<candidate>`.
        target: Target it was made for.
        architecture: As `uname -m` prints it there.
        provider: Execution provider it needs.
        precision: Word for people.
        recipe: How the graphs got their precision.
        component_recipes: Component to another recipe of its own.
        pad_to_multiple_of: Padding policy of text for this engine.
        tolerance: Largest allowed difference of any output from the float outputs on the golden samples.
        parts: By component; most models have one, `model`.
        engine: Kind of its files: `onnx`, or what they were compiled to ahead of time, such as `epcontext`.
        compared: Its answers were compared with the float engine's before it got into the package. One that was not is
            used only where `edgewright finish` compared it.
    """

    name: str
    target: str
    architecture: str
    provider: str
    precision: str
    recipe: Recipe
    pad_to_multiple_of: int
    tolerance: float
    parts: dict[str, EnginePart]
    engine: str = "onnx"
    compared: bool = True
    component_recipes: dict[str, Recipe] = field(default_factory=dict)

    def option(self, name: str, default: str = "") -> str:
        """A provider option that all parts have alike."""
        found = (part.provider_options.get(name) for part in self.parts.values())
        return next((value for value in found if value is not None), default)

    @property
    def threads(self) -> int:
        """Threads of a call; 0 is one for each core."""
        return max(int(part.session_options.get(THREADS_KEY, "0")) for part in self.parts.values())


@dataclass(frozen=True)
class _EngineRecord:
    """The part of `EngineSpec` under `executor_info.edgewright`; the rest is where ONNX Runtime looks for it."""

    format: int
    target: str
    architecture: str
    precision: str
    recipe: Recipe
    pad_to_multiple_of: int
    tolerance: float
    engine: str = "onnx"
    compared: bool = True
    component_recipes: dict[str, Recipe] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """Everything a package says about itself, but for the evidence.

    Attributes:
        name: Name of the model.
        task: Task as transformers' pipelines spell it, or `arrays`.
        measure: What the choice was made on: labelled accuracy, or agreement with the float engine.
        pipeline: The way of a sample.
        labels: Class names by index; empty where the task has none.
        order: Engine names, best first: the first that can run here runs.
        baselines: Target to the name of its float engine.
        hardware: Target to what it asks of a machine.
        engines: By name.
        source: What it was made from.
        tools: Tool name to version at build time.
        unreproducible: Files whose bytes differ from build to build because a vendor's compiler makes them so.
    """

    name: str
    task: str
    measure: Literal["accuracy", "agreement"]
    pipeline: PipelineSpec
    labels: tuple[str, ...]
    order: tuple[str, ...]
    baselines: dict[str, str]
    source: SourceFacts
    tools: dict[str, str]
    unreproducible: tuple[str, ...]
    hardware: dict[str, Hardware] = field(default_factory=dict)
    engines: dict[str, EngineSpec] = field(default_factory=dict)
    format: int = FORMAT

    def targets_here(self) -> tuple[str, ...]:
        """Targets that this machine is, those that describe it best first."""
        here = [(name, hardware) for name, hardware in self.hardware.items() if hardware.is_here()]
        # Stable: of those that say as much, the package's own order.
        return tuple(name for name, _ in sorted(here, key=lambda pair: -pair[1].says()))

    def engines_for(self, target: str) -> tuple[str, ...]:
        """Names of the engines made for a target, best first."""
        return tuple(name for name in self.order if self.engines[name].target == target)


def manifest_metadata(manifest: Manifest) -> dict[str, Any]:
    """The JSON for `additional_metadata.edgewright`."""
    data: dict[str, Any] = write_record(manifest)
    del data["engines"]
    return data


def engine_variant(spec: EngineSpec, component: str) -> dict[str, Any]:
    """The JSON of an engine as a variant of a component in ONNX Runtime's manifest."""
    part = spec.parts[component]
    path = PurePosixPath(part.model_file)
    executor: dict[str, Any] = {"model_file": path.name, "session_options": part.session_options}
    if part.provider_options:
        executor["provider_options"] = part.provider_options
    record = _EngineRecord(
        FORMAT,
        spec.target,
        spec.architecture,
        spec.precision,
        spec.recipe,
        spec.pad_to_multiple_of,
        spec.tolerance,
        spec.engine,
        spec.compared,
        spec.component_recipes,
    )
    return {
        "ep": spec.provider,
        "variant_directory": str(path.parent),
        "executor_info": {_executor(path.name): executor, "edgewright": write_record(record)},
    }


def _executor(file: str) -> str:
    return PLAN_EXECUTOR if file.endswith(".plan") else "ort"


def read_manifest(text: bytes, where: str) -> Manifest:
    """Parse and check `manifest.json`.

    Raises:
        PackageTooNewError: Written in a newer format.
        PackageError: Not a manifest of ours.
    """
    try:
        data = json.loads(text)
        ours = data["additional_metadata"]["edgewright"]
        components = {name: dict(entry["variants"].items()) for name, entry in data["components"].items()}
        written = ours["format"]
        names = dict.fromkeys(name for variants in components.values() for name in variants)
    # RecursionError: brackets nested without end.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PackageError(
            f"{where}: this is no Edgewright package (manifest.json: {type(error).__name__}: {error}).",
            hint="Packages are made with 'edgewright build ... -o NAME.ortpackage'.",
        ) from error
    _check_format(written, where)
    base = read_record(Manifest, ours, f"{where}: manifest")
    engines = {name: _engine(name, components, where) for name in names}
    unknown = [name for name in (*base.order, *base.baselines.values()) if name not in engines]
    if unknown or not base.order:
        raise PackageError(f"{where}: the order of engines names {unknown or 'nothing'}; engines: {list(engines)}.")
    unchecked = [name for name in base.baselines.values() if not engines[name].compared]
    if unchecked:
        raise PackageError(f"{where}: the float engine {unchecked} was not compared; everything is compared with it.")
    return dataclasses.replace(base, engines=engines)


def _check_format(written: object, where: str) -> None:
    if not isinstance(written, int) or isinstance(written, bool) or written < 1:
        raise PackageError(f"{where}: the format of the package is {written!r}, expected a number.")
    if written > FORMAT:
        raise PackageTooNewError(
            f"{where}: the package has format {written}; this version of Edgewright reads up to {FORMAT}.",
            hint="Upgrade with 'pip install --upgrade edgewright', or build the package again with this version.",
        )


def _engine(name: str, components: dict[str, dict[str, Any]], where: str) -> EngineSpec:
    place = f"{where}: engine '{name}'"
    if missing := [component for component, variants in components.items() if name not in variants]:
        raise PackageError(f"{place}: incomplete: it has no variant of {', '.join(missing)}.")
    variants = {component: variants[name] for component, variants in components.items()}
    try:
        # The number first: a newer format has keys that this reader does not know.
        for variant in variants.values():
            _check_format(variant["executor_info"]["edgewright"]["format"], place)
        records = [
            (variant["ep"], read_record(_EngineRecord, variant["executor_info"]["edgewright"], place))
            for variant in variants.values()
        ]
        parts = {component: _part(variant) for component, variant in variants.items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise PackageError(f"{place}: incomplete ({type(error).__name__}: {error}).") from error
    provider, record = records[0]
    if any(other != records[0] for other in records):
        raise PackageError(f"{place}: its components {', '.join(parts)} say different things about it.")
    shared: dict[str, Any] = write_record(record)
    del shared["format"]
    spec = read_record(EngineSpec, {**shared, "name": name, "provider": provider, "parts": parts}, place)
    for part in spec.parts.values():
        threads = part.session_options.get(THREADS_KEY, "0")
        if not (threads.isascii() and threads.isdigit()):
            raise PackageError(f"{place}: {THREADS_KEY} is {threads!r}, expected a number.")
    if spec.pad_to_multiple_of < 1:
        raise PackageError(f"{place}: pad_to_multiple_of is {spec.pad_to_multiple_of}; 1 is no padding.")
    return spec


def _part(variant: Any) -> dict[str, Any]:
    # What ONNX Runtime cannot run has an executor of its own, which it leaves alone.
    infos = variant["executor_info"]
    executor = infos["ort"] if "ort" in infos else infos[PLAN_EXECUTOR]
    return {
        "model_file": f"{variant['variant_directory']}/{executor['model_file']}",
        "session_options": executor.get("session_options", {}),
        "provider_options": executor.get("provider_options", {}),
    }
