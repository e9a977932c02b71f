"""An application that is ready to be called: its models are loaded when they are first needed."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from edgewright_runtime.applications.checks import CheckedFlow, check_flow, signature
from edgewright_runtime.applications.declaration import Flow
from edgewright_runtime.applications.golden import GOLDEN_FILE, WholeSample, read_whole_golden
from edgewright_runtime.applications.loaded_models import LoadedModels
from edgewright_runtime.applications.memory_limit import MemoryFacts, memory_limit
from edgewright_runtime.applications.nodes import make_node
from edgewright_runtime.applications.running import Call, FlowRun, run_flow
from edgewright_runtime.applications.step_types import Signature
from edgewright_runtime.errors import PackageError, PackageTooNewError, SampleError
from edgewright_runtime.loading import first_choice
from edgewright_runtime.package import APPLICATION, Package, package_folder
from edgewright_runtime.package_files import FileTooLargeError, check_digests, checked_path, read_limited
from edgewright_runtime.samples import input_names
from edgewright_runtime.steps.values import NamedValues, Values
from edgewright_targets.errors import nearest
from edgewright_targets.record import RecordError, added_in, read_record

if TYPE_CHECKING:
    from edgewright_runtime.model import EngineInfo, Model

# The number of the form of application.json; readers refuse larger ones. A package has the lowest that its fields need:
#
#   1  The first.
#   2  A limit of memory, what models take, and those that run in float.
FORMAT = 2
LEAST_FORMAT = 1
_LIMIT_BYTES = 2**20
# As `top_k`: more than any model has.
_ALL_LABELS = 2**30
# Evidence of the whole, which holds every timed call.
EVIDENCE_FILE = "evidence.json"
_EVIDENCE_LIMIT_BYTES = 64 * 2**20


@dataclass(frozen=True)
class GoldenFacts:
    """Golden samples of the whole.

    Attributes:
        samples: How many.
        tolerance: How far numbers of answers may be from the stored ones, as a share of them (or of 1).
    """

    samples: int
    tolerance: float


@dataclass(frozen=True)
class ApplicationRecord:
    """The content of `application.json`.

    Attributes:
        format: See `FORMAT`.
        name: What it is called.
        flow: How values flow.
        golden: What is known of its golden samples; None where it has none.
        evidence: The file with the evidence of the whole; empty where it was not measured.
        max_memory: Bytes that its process may take; None is no limit.
        memory: What its build knows of the memory that it takes; None where that was not measured.
        on_float: Models that run their float baseline, on every target: the whole cannot afford their first engine.
    """

    format: int
    name: str
    flow: Flow
    golden: GoldenFacts | None = None
    evidence: str = ""
    _: KW_ONLY
    max_memory: int | None = field(default=None, metadata=added_in(2))
    memory: MemoryFacts | None = field(default=None, metadata=added_in(2))
    on_float: tuple[str, ...] = field(default=(), metadata=added_in(2))


@dataclass(frozen=True)
class ApplicationPackage:
    """An opened package of an application: a checked, immutable view of its folder.

    Attributes:
        root: Its folder.
        name: What it is called.
        checked: Its steps.
        models: Model -> its package, inside the folder.
        golden: What is known of its golden samples; None where it has none.
        measured: Whether it has evidence of the whole.
        max_memory: Bytes that its process may take; None is no limit.
        memory: What its build knows of the memory that it takes.
        on_float: Models that run their float baseline.
    """

    root: Path
    name: str
    checked: CheckedFlow
    models: Mapping[str, Package]
    _: KW_ONLY
    golden: GoldenFacts | None = None
    measured: bool = False
    max_memory: int | None = None
    memory: MemoryFacts = field(default_factory=MemoryFacts)
    on_float: tuple[str, ...] = ()

    @classmethod
    def open(cls, path: str | Path) -> ApplicationPackage:
        """Open the folder of an application, or an archive of one.

        Raises:
            PackageError: No application is there, or its steps do not fit together.
            PackageTooNewError: Written in a newer format.
        """
        root = package_folder(path)
        record = _read(root, str(path))
        models = {
            name: Package.open(checked_path(root, use.package, str(path))) for name, use in record.flow.model.items()
        }
        try:
            checked = check_flow(record.flow, signatures(models), f"'{path}'")
        except RecordError as error:
            raise PackageError(error.message, hint=error.hint) from error
        if unknown := [name for name in record.on_float if name not in models]:
            raise PackageError(f"'{path}': '{unknown[0][:60]}' runs in float, and is not a model of it.")
        if open_ones := [name for name, condition in checked.conditions.items() if condition.found]:
            raise PackageError(f"'{path}': the threshold of the step '{open_ones[0]}' is not a number.")
        return cls(
            root,
            record.name,
            checked,
            models,
            golden=record.golden,
            measured=bool(record.evidence),
            max_memory=record.max_memory,
            memory=record.memory or MemoryFacts(),
            on_float=record.on_float,
        )

    def asked_engines(self) -> dict[str, str]:
        """Model -> the engine that it uses alone: of those in `on_float` the baseline of this machine's target."""
        models = {name: self.models[name] for name in self.on_float}
        return {name: one.manifest.baselines[first_choice(one).target] for name, one in models.items()}

    def golden_samples(self) -> tuple[WholeSample, ...]:
        """The golden samples of the whole; none where it was built without.

        Raises:
            PackageError: They are not what the format says.
        """
        if self.golden is None:
            return ()
        return read_whole_golden(checked_path(self.root, GOLDEN_FILE, str(self.root)))

    def evidence(self) -> object:
        """The evidence of the whole as parsed JSON; None where it was not measured.

        Raises:
            PackageError: The file is missing, or cannot be read.
        """
        if not self.measured:
            return None
        path = checked_path(self.root, EVIDENCE_FILE, str(self.root))
        try:
            found: object = json.loads(read_limited(path, _EVIDENCE_LIMIT_BYTES))
        except (OSError, ValueError, RecursionError, FileTooLargeError) as error:
            raise PackageError(f"'{self.root}': the evidence of the whole cannot be read: {error}.") from error
        return found

    def check_digests(self) -> int:
        """Compare every file with `SHA256SUMS`; gives the number of files checked."""
        return check_digests(self.root, str(self.root))


def is_application(path: str | Path) -> bool:
    """Whether the folder or archive at `path` is an application, and not the package of one model."""
    root = Path(path)
    if root.is_file():
        root = package_folder(root)
    return (root / APPLICATION).is_file()


def signatures(models: Mapping[str, Package]) -> dict[str, Signature]:
    """What models take and give.

    Raises:
        PackageError: A model takes or gives what an application has no type for.
    """
    found = {}
    for name, package in models.items():
        one = signature(package.manifest)
        if one is None:
            pipeline = package.manifest.pipeline
            raise PackageError(
                f"The model '{name}' ({package.manifest.task}) takes {pipeline.input} and gives {pipeline.output}, "
                "which a step of an application cannot pass on yet.",
                hint="Named arrays, latents and rows of tables have no type in an application.",
            )
        found[name] = one
    return found


class Application:
    """Call it with what a person has; gives all answers of the application by name.

    Attributes:
        package: The opened package.
    """

    def __init__(
        self,
        package: ApplicationPackage,
        *,
        threads: int | None = None,
        engines: Mapping[str, str] | None = None,
        max_memory: int | None = None,
    ) -> None:
        self.package = package
        most = package.max_memory if max_memory is None else max_memory
        asked = {**package.asked_engines(), **(engines or {})}
        limit = None if most is None else memory_limit(package.models, most, package.memory, asked)
        self._models = LoadedModels(package.models, threads=threads, engines=asked, limit=limit)
        self._kept = Values()
        self._calls = self._made_calls()

    @property
    def loaded(self) -> Mapping[str, Model]:
        """The models that are in memory: those that calls needed until now, but for those that a limit let go of."""
        return self._models.models

    @property
    def engines(self) -> Mapping[str, EngineInfo]:
        """Model -> its engine, of all that calls needed until now."""
        return self._models.engines

    @property
    def unloaded(self) -> int:
        """How often a model was let go, so that another had room."""
        return self._models.unloaded

    def __call__(self, sample: Any) -> Values:
        """The answers for one sample; None where a condition left a step out.

            >>> from edgewright_runtime.applications import load_application
            >>> with load_application("assistant.ortpackage") as assistant:
            ...     answers = assistant("turn on the kitchen lights")
            >>> sorted(answers)
            ['intent', 'reply']

        Args:
            sample: The value of its input; of several inputs a dict.

        Raises:
            SampleError: The sample is not what the application takes, or a step cannot take what was made of it.
        """
        run = self.run(sample)
        return Values({name: run.values[name] for name in self.package.checked.flow.answer})

    def run(self, sample: Any) -> FlowRun:
        """All values of one sample, with the time of each step and what was left out."""
        return run_flow(self.package.checked, self._calls, self.inputs(sample), self._kept)

    def model(self, name: str) -> Model:
        """A model of it, loaded at the first call.

        Raises:
            EngineUnavailableError: No engine of it runs here.
        """
        with self._models.using(name) as model:
            return model

    @property
    def calls(self) -> Mapping[str, Call]:
        """Step -> what it calls; for whoever runs the steps in another way than `run`."""
        return self._calls

    @property
    def kept(self) -> Values:
        """Values of steps that depend on no input of a call, as the first call made them; see `run_flow`."""
        return self._kept

    def inputs(self, sample: Any) -> NamedValues:
        """The inputs of a sample by name.

        Raises:
            SampleError: The sample is not what the application takes.
        """
        names = list(self.package.checked.flow.input)
        if len(names) == 1 and not (isinstance(sample, dict) and list(sample) == names):
            sample = {names[0]: sample}
        if not isinstance(sample, dict):
            raise SampleError(
                f"The application takes a dict with {' and '.join(names)}; found {type(sample).__name__}."
            )
        unknown = [name for name in sample if name not in names]
        missing = [name for name in names if sample.get(name) is None]
        if unknown or missing:
            what = f"'{unknown[0]}' is not one of them" if unknown else f"'{missing[0]}' is missing"
            hint = nearest(str(unknown[0]), names) if unknown else ""
            raise SampleError(f"The application takes {' and '.join(names)}; {what}.", hint=hint)
        kinds = self.package.checked.flow.input
        return {name: _number(name, sample[name]) if kinds[name] == "number" else sample[name] for name in names}

    def _made_calls(self) -> dict[str, Call]:
        calls: dict[str, Call] = {}
        for name, step in self.package.checked.flow.step.items():
            if step.model is not None:
                calls[name] = functools.partial(self._ask, name, step.model, step.options)
                continue
            try:
                calls[name] = make_node(step.do or "", step.options)
            except (TypeError, ValueError) as error:
                raise PackageError(f"'{self.package.root}': the step '{name}' has wrong options: {error}.") from error
        return calls

    def _ask(self, step: str, name: str, options: Mapping[str, object], values: NamedValues) -> Any:
        given: dict[str, object] = dict(options)
        if step in self.package.checked.whole_labels:
            # Not their number: those of zero-shot models are said by the call.
            given["top_k"] = _ALL_LABELS
        with self._models.using(name) as model:
            names = input_names(model.manifest.pipeline.input)
            return model(values[names[0]] if len(names) == 1 else {**values}, **given)

    def close(self) -> None:
        """Let go of all models."""
        self._models.close()
        self._kept.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def load_application(
    path: str | Path | ApplicationPackage,
    *,
    threads: int | None = None,
    engines: Mapping[str, str] | None = None,
    max_memory: int | None = None,
) -> Application:
    """Open an application; its models are loaded when a call first needs them.

        >>> from edgewright_runtime.applications import load_application
        >>> with load_application("assistant.ortpackage") as assistant:
        ...     list(assistant.package.models)
        ['intents']

    Args:
        path: Folder, archive, or an opened one.
        threads: Threads that a call of a model may use; by default what its engine was measured with.
        engines: Model -> the engine that it uses alone; of others the one that runs here, or float where the package
            says so.
        max_memory: Bytes that the process may take, by what the package knows of its models: those that were not used
            longest are let go before another is loaded. By default the limit of the package.

    Raises:
        PackageError: The path is not a readable application.
        MemoryLimitError: The limit is below what one of its models needs.
    """
    package = path if isinstance(path, ApplicationPackage) else ApplicationPackage.open(path)
    return Application(package, threads=threads, engines=engines, max_memory=max_memory)


def _number(name: str, value: Any) -> float:
    """An input that is a number; a command line and a table have it as a text."""
    if isinstance(value, int | float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        raise SampleError(f"'{name}' is not a number.", hint="Pass one such as 0.5.") from None


def _read(root: Path, name: str) -> ApplicationRecord:
    path = root / APPLICATION
    try:
        data = json.loads(read_limited(path, _LIMIT_BYTES))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PackageError(
            f"'{name}' is not an application: it has no {APPLICATION}.",
            hint="Make one with 'edgewright build APPLICATION.toml -o NAME.ortpackage'.",
        ) from error
    except (OSError, ValueError, RecursionError, FileTooLargeError) as error:
        raise PackageError(f"'{name}': {APPLICATION} cannot be read: {error}.") from error
    number = data.get("format") if isinstance(data, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise PackageTooNewError(
            f"'{name}' has format {str(number)[:20]} of applications; this version of Edgewright reads up to {FORMAT}.",
            hint="Upgrade with 'pip install --upgrade edgewright'.",
        )
    try:
        return read_record(ApplicationRecord, data, f"'{name}': {APPLICATION}")
    except RecordError as error:
        raise PackageError(error.message, hint=error.hint) from error
