"""An engine as files, before it is put into a package."""

from __future__ import annotations

from collections import Counter
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from edgewright_benchmarks.engine_result import FloatNodes
from edgewright_compiler.building.engine_draft import EngineDraft
from edgewright_compiler.cache import digest_of
from edgewright_compiler.compile import CompileFacts
from edgewright_compiler.graphs.exported import GRAPH_FILE, WEIGHTS_FOLDER
from edgewright_runtime.manifest import COMPONENT
from edgewright_runtime.package_files import file_digest


@dataclass(frozen=True)
class PartFiles:
    """The files of one component of an engine.

    Attributes:
        folder: With its graph and weights, or with the one file that it was compiled to.
        facts: What its compiler said, where it was made ahead of time.
        shared: Folder of weights that the components of the engine share; None where they are in `folder`.
    """

    folder: Path
    facts: CompileFacts | None = None
    shared: Path | None = None

    @property
    def file(self) -> str:
        """Name of the component's own file in `folder`."""
        return self.facts.file if self.facts else GRAPH_FILE

    @property
    def weights(self) -> Path:
        """Folder of its weights; it does not exist if the weights are small, or in the file of the graph."""
        return self.shared or self.folder / WEIGHTS_FOLDER


@dataclass(frozen=True)
class EngineFiles:
    """An engine to put into a package.

    Attributes:
        draft: What is known about it.
        parts: Its files, by component.
        notes: What to know of how it was made, in whole sentences.
        tolerance: How far it may be from the golden outputs; None where its own answers decide that.
        low_precision: Operator type to the number of graph nodes that compute in its low precision.
        float_nodes: What of its graphs stays in float because of what it is.
    """

    draft: EngineDraft
    parts: dict[str, PartFiles]
    notes: tuple[str, ...] = ()
    tolerance: float | None = None
    low_precision: dict[str, int] = field(default_factory=dict)
    _: KW_ONLY
    float_nodes: tuple[FloatNodes, ...] = ()

    def path(self, component: str) -> str:
        """Name of the file of a component in a package."""
        return f"{component}/{self.draft.name}/{self.parts[component].file}"

    def unreproducible(self) -> tuple[str, ...]:
        """Names in a package of files whose bytes another build makes different, or may."""
        return tuple(self.path(name) for name, part in self.parts.items() if part.facts and not part.facts.reproducible)

    def documents(self) -> dict[str, str]:
        """File name to text of what its compiler said, for the evidence."""
        found: dict[str, str] = {}
        for name, part in self.parts.items():
            front = self.draft.name if name == COMPONENT else f"{self.draft.name}.{name}"
            if part.facts is not None:
                found |= {f"{front}.compile.log": part.facts.log, f"{front}.inspector.txt": part.facts.detail}
        return {name: text for name, text in found.items() if text}

    def nodes(self) -> dict[str, int]:
        """Provider to number of graph nodes, where its compiler counted them before they became one program."""
        counts: Counter[str] = Counter()
        for part in self.parts.values():
            counts.update(part.facts.nodes if part.facts else {})
        return dict(counts)

    def files(self) -> tuple[Path, ...]:
        """All files that it needs, each once."""
        found = [part.folder / part.file for part in self.parts.values()]
        for folder in dict.fromkeys(part.weights for part in self.parts.values()):
            found += sorted(folder.glob("*"))
        return tuple(found)

    def size_bytes(self) -> int:
        """Bytes of these files."""
        return sum(path.stat().st_size for path in self.files())

    def digest(self) -> str:
        """Digest of these files."""
        return digest_of({"files": [file_digest(path) for path in self.files()]})


@dataclass(frozen=True)
class PackedEngine:
    """An engine as it goes into a package, with what was decided about it.

    Attributes:
        files: The engine.
        tolerance: Largest allowed difference of any output from the float outputs on the golden samples; None in a
            draft, whose engines nobody has judged.
        compared: Its answers were compared with the float engine's.
    """

    files: EngineFiles
    tolerance: float | None = None
    compared: bool = True
