"""A model that is ready to be called: a package, the engine that runs here, and the declared steps around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from edgewright_runtime.errors import SampleError
from edgewright_runtime.package import Package
from edgewright_runtime.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.listening import Listener
    from edgewright_runtime.manifest import Manifest
    from edgewright_runtime.steps.protocols import TextStream


@dataclass(frozen=True, kw_only=True)
class EngineInfo:
    """Which engine runs, where, and why.

    Attributes:
        name: Name in the package.
        target: Target it was made for.
        provider: Execution provider it was made for.
        precision: `fp32`, `int8`, ...
        threads: Threads a call may use.
        nodes: Provider to number of graph nodes it runs; a second provider here means a partial assignment.
        reason: Why this one, as a sentence.
        passed_over: Engines the package prefers that cannot run here: name and reason.
        emulated: It runs in an emulator of its hardware: answers are real, times mean nothing.
    """

    name: str
    target: str
    provider: str
    precision: str
    threads: int
    nodes: dict[str, int]
    reason: str
    passed_over: tuple[tuple[str, str], ...]
    emulated: bool = False

    @property
    def foreign_nodes(self) -> int:
        """Graph nodes that run on another provider than the one asked for."""
        return sum(count for name, count in self.nodes.items() if name != self.provider)


class Model:
    """Call it with what a person has, get what a person wants.

    What it takes and gives is said by the pipeline of its package: text models take a string, image models a file or
    an array, models of several inputs a dict, models without a task named arrays. A list is answered one by one, as
    the engine was measured, unless a call says `batch_size`. Models that generate text also take their settings
    (`generation.settings`), and `stream` gives the text as it comes.

    Attributes:
        package: The opened package.
        engine: Which engine runs, and why.
        pipeline: The steps around its graphs.
    """

    def __init__(self, package: Package, engine: Engine, info: EngineInfo) -> None:
        self.package = package
        self.engine = info
        self._engine = engine
        self.pipeline = Pipeline(package, engine)

    @property
    def manifest(self) -> Manifest:
        """What the package says about itself."""
        return self.package.manifest

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names by index."""
        return self.manifest.labels

    @property
    def streams(self) -> bool:
        """Whether `stream` can be used."""
        return self.pipeline.streams

    def __call__(self, sample: Any, **options: Any) -> Any:
        """Run inference on one sample, or on each of a list.

            >>> from edgewright_runtime import load
            >>> model = load("intents.ortpackage")
            >>> len(model("turn on the kitchen lights", top_k=2))
            2
            >>> len(model(["lights on", "lights off", "what time is it"], batch_size=2))
            3

        Args:
            sample: What the model takes, see `samples`; or a list of these.
            options: `top_k` says how many labels to give, best first (1 unless said). Of the steps that take some, such
                as `max_new_tokens=40`; `batch_size` answers so many samples of a list at once: those that come to the
                same shapes, where the graph answers row by row, and others one by one.

        Raises:
            SampleError: The sample is not what this model takes, or an option.
        """
        if isinstance(sample, (list, tuple)):
            size = options.get("batch_size", 1)
            if size != 1:
                return self.pipeline.in_batches(sample, size, options)
            return [self(one, **options) for one in sample]
        return self.pipeline.answer(self.run(sample, **options))

    def run(self, sample: Any, **options: Any) -> Mapping[str, Any]:
        """All named values of one sample: inputs, feeds, `outputs` of the graph, and what the steps made of them."""
        return self.pipeline.run(sample, options)

    def embed(self, **given: Any) -> Any:
        """The vector of one input alone, [1, size], for models that compare vectors of two: `embed(text="a cat")`.

        Raises:
            SampleError: It is not what the model takes, or the model makes no such vector.
        """
        if len(given) != 1:
            raise SampleError(f"Pass one input at a time to get a vector; found {len(given)}.")
        ((name, value),) = given.items()
        return self.pipeline.part(name, value)

    def stream(self, sample: Any, **options: Any) -> TextStream:
        """The answer piece by piece as it is made; joined, the pieces are what a call answers.

        When the last piece was given, `facts` of what this returns says how the answer came about.

        Raises:
            SampleError: The model gives its answer at once, or the sample is not what it takes, or an option.
        """
        return self.pipeline.stream(sample, options)

    def listen(self, *, threshold: float | None = None) -> Listener[Any]:
        """A recording that comes in chunks, for models that find something in audio; several may be under way.

        Raises:
            SampleError: The model answers whole samples only.
        """
        from edgewright_runtime.listening import listener

        return listener(self.pipeline.steps, threshold)

    @property
    def options(self) -> frozenset[str]:
        """Names of what a call may say."""
        return self.pipeline.options

    def close(self) -> None:
        """Free the session; the model cannot be called afterwards."""
        self._engine.deactivate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
