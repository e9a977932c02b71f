"""Engines, weights, processors and evidence into a package. The only module that writes ONNX Runtime's format.

The format is experimental upstream; what is relied on: `ModelPackage.open`, `add_shared_asset`,
`set_component_inline`, `set_additional_metadata_json` and `commit`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.result import Result
from edgewright_benchmarks.result_files import write_evidence
from edgewright_compiler.building.engine_files import PackedEngine
from edgewright_compiler.graphs.exported import ASSET_PREFIX, ASSETS_FOLDER
from edgewright_runtime.manifest import EnginePart, EngineSpec, Manifest, PipelineSpec, StepSpec
from edgewright_runtime.manifest_file import engine_variant, manifest_metadata
from edgewright_runtime.options import EXTERNAL_WEIGHTS_KEY
from edgewright_runtime.package import EVIDENCE_FOLDER, GOLDEN, MANIFEST
from edgewright_runtime.package_files import SUMS, file_digest

if TYPE_CHECKING:
    from onnxruntime import ModelPackage


@dataclass(frozen=True, kw_only=True)
class PackageContents:
    """All that goes into a package.

    Attributes:
        manifest: What the package says about itself; asset names in its pipeline become asset URIs.
        exported: Folder of the exported model; its assets are shared by all engines.
        engines: Best first: plain ONNX Runtime takes the first that its provider can run.
        golden: File with golden samples.
        evidence: Target to the measurement its choice was made from.
        documents: Name to text of files that are kept with the evidence.
    """

    manifest: Manifest
    exported: Path
    engines: tuple[PackedEngine, ...]
    golden: Path | None = None
    evidence: Mapping[str, Result] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)


def assemble(destination: Path, contents: PackageContents) -> None:
    """Write a package into the empty folder `destination`, which is complete only when this returns."""
    from onnxruntime import ModelPackage

    engines = [engine.files for engine in contents.engines]
    components = list(dict.fromkeys(name for engine in engines for name in engine.parts))
    for engine in engines:
        for name, part in engine.parts.items():
            path = destination / engine.path(name)
            path.parent.mkdir(parents=True)
            shutil.copyfile(part.folder / part.file, path)
    # The smallest manifest that ONNX Runtime opens; it writes the rest itself.
    empty: dict[str, dict[str, str]] = {"variants": {}}
    start = {"schema_version": "1.0", "components": dict.fromkeys(components, empty)}
    (destination / MANIFEST).write_text(json.dumps(start), encoding="utf-8")
    package = ModelPackage.open(str(destination))
    assets = _add_assets(package, contents.exported / ASSETS_FOLDER)
    specs = _engine_specs(package, contents.engines)
    for name in components:
        variants = {spec.name: engine_variant(spec, name) for spec in specs if name in spec.parts}
        package.set_component_inline(name, json.dumps({"variants": variants}))
    manifest = contents.manifest
    ours = dataclasses.replace(manifest, pipeline=_with_assets(manifest.pipeline, assets))
    metadata = json.dumps({"edgewright": manifest_metadata(ours)})
    package.set_additional_metadata_json("manifest", None, None, metadata)
    package.commit()
    package.close()
    extra = destination / PurePosixPath(GOLDEN).parent
    extra.mkdir(exist_ok=True)
    if contents.golden is not None:
        shutil.copyfile(contents.golden, destination / GOLDEN)
    for target, result in contents.evidence.items():
        (destination / EVIDENCE_FOLDER).mkdir(exist_ok=True)
        write_evidence(result, destination / EVIDENCE_FOLDER / f"{target}.json")
    for name, text in contents.documents.items():
        (destination / EVIDENCE_FOLDER / name).write_text(text, encoding="utf-8")
    write_sums(destination)


def _engine_specs(package: ModelPackage, engines: Sequence[PackedEngine]) -> list[EngineSpec]:
    """The engines as the package has them: weights become assets, each once, and files have their names in it."""
    weights: dict[Path, str] = {}
    specs = []
    for packed in engines:
        files, draft = packed.files, packed.files.draft
        parts = {}
        for name, part in files.parts.items():
            session_options = dict(draft.parts[name].session_options)
            if part.weights.is_dir():
                if part.weights not in weights:
                    weights[part.weights] = package.add_shared_asset(str(part.weights), copy_in=True)
                session_options[EXTERNAL_WEIGHTS_KEY] = weights[part.weights]
            parts[name] = EnginePart(
                model_file=files.path(name),
                session_options=session_options,
                provider_options=draft.parts[name].provider_options,
            )
        specs.append(
            EngineSpec(
                name=draft.name,
                target=draft.target,
                architecture=draft.architecture,
                provider=draft.provider,
                precision=draft.precision,
                recipe=draft.recipe,
                component_recipes=draft.component_recipes,
                pad_to_multiple_of=draft.pad_to_multiple_of,
                # The format has a number for each engine. Nothing verifies a draft.
                tolerance=0.0 if packed.tolerance is None else packed.tolerance,
                parts=parts,
                engine=draft.engine,
                compared=packed.compared,
            )
        )
    return specs


def _add_assets(package: ModelPackage, folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    return {path.name: package.add_shared_asset(str(path), copy_in=True) for path in sorted(folder.iterdir())}


def _with_assets(pipeline: PipelineSpec, assets: Mapping[str, str]) -> PipelineSpec:
    measured = pipeline.measured
    if measured is not None:
        measured = dataclasses.replace(measured, steps=_steps_with_assets(measured.steps, assets))
    return dataclasses.replace(pipeline, steps=_steps_with_assets(pipeline.steps, assets), measured=measured)


def _steps_with_assets(declared: Sequence[StepSpec], assets: Mapping[str, str]) -> tuple[StepSpec, ...]:
    return tuple(StepSpec(step.step, _with_uris(step.options, assets)) for step in declared)


def _with_uris(value: Any, assets: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _with_uris(below, assets) for name, below in value.items()}
    if isinstance(value, str) and value.startswith(ASSET_PREFIX):
        asset, _, file = value.removeprefix(ASSET_PREFIX).partition("/")
        return f"{assets[asset]}/{file}"
    return value


def write_sums(folder: Path) -> None:
    """Write `SHA256SUMS` over every file below `folder`, in the form that `sha256sum -c` reads."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / SUMS)
    lines = [f"{file_digest(path)}  {PurePosixPath(path.relative_to(folder))}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def publish(made: Path, output: Path) -> None:
    """Give a whole folder its final name; a package that was there is replaced in one step where the system can.

    What was there is then beside `made`, in a folder that is removed with everything in it.
    """
    if not output.exists():
        try:
            made.rename(output)
        except OSError:
            # Unless another build of the same output was faster by a moment: then its package is replaced.
            if not output.exists():
                raise
        else:
            return
    if _exchange(made, output):
        return
    # Without an exchange there is a moment without any package, never one with a broken package.
    old = made.with_name("old")
    output.rename(old)
    try:
        made.rename(output)
    except OSError:
        old.rename(output)
        raise


def _exchange(first: Path, second: Path) -> bool:
    """Swap two names at once (renameat2 with RENAME_EXCHANGE, Linux 3.15 and newer, glibc 2.28); False if it cannot."""
    import ctypes

    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        return False
    at_current_folder, rename_exchange = -100, 2
    arguments = (at_current_folder, os.fsencode(first), at_current_folder, os.fsencode(second), rename_exchange)
    return bool(function(*arguments) == 0)
