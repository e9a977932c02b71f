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
from pathlib import Path, PurePosixPath
from typing import Any

from edgewright_benchmarks.result import Result, write_result
from edgewright_compiler.building.engine_files import EngineFiles
from edgewright_compiler.graphs.exported import ASSET_PREFIX, ASSETS_FOLDER
from edgewright_runtime.manifest import EngineSpec, Manifest, PipelineSpec, StepSpec
from edgewright_runtime.manifest_file import engine_variant, manifest_metadata
from edgewright_runtime.options import EXTERNAL_WEIGHTS_KEY
from edgewright_runtime.package import EVIDENCE_FOLDER, GOLDEN, MANIFEST
from edgewright_runtime.package_files import SUMS, file_digest


def assemble(
    destination: Path,
    manifest: Manifest,
    exported: Path,
    engines: Sequence[EngineFiles],
    *,
    golden: Path | None = None,
    evidence: Mapping[str, Result] | None = None,
    documents: Mapping[str, str] | None = None,
) -> None:
    """Write a package into the empty folder `destination`.

    Args:
        destination: Where; complete only when this returns, so give it a name aside.
        manifest: What the package says about itself; asset names in its pipeline become asset URIs.
        exported: Folder of the exported model; its assets are shared by all engines.
        engines: Best first: plain ONNX Runtime takes the first that its provider can run.
        golden: File with golden samples.
        evidence: Target to the measurement its choice was made from.
        documents: Name to text of files that are kept with the evidence.
    """
    from onnxruntime import ModelPackage

    components = list(dict.fromkeys(name for engine in engines for name in engine.parts))
    for engine in engines:
        for name, part in engine.parts.items():
            path = destination / engine.path(name)
            path.parent.mkdir(parents=True)
            shutil.copyfile(part.folder / part.file, path)
    # The smallest manifest that ONNX Runtime opens; it writes the rest itself.
    empty: dict[str, Any] = {name: {"variants": {}} for name in components}
    start = {"schema_version": "1.0", "components": empty}
    (destination / MANIFEST).write_text(json.dumps(start), encoding="utf-8")
    package = ModelPackage.open(str(destination))
    assets = _add_assets(package, exported / ASSETS_FOLDER)
    specs = _with_weights(package, engines)
    for name in components:
        variants = {spec.name: engine_variant(spec, name) for spec in specs if name in spec.parts}
        package.set_component_inline(name, json.dumps({"variants": variants}))
    ours = dataclasses.replace(manifest, pipeline=_with_assets(manifest.pipeline, assets))
    metadata = json.dumps({"edgewright": manifest_metadata(ours)})
    package.set_additional_metadata_json("manifest", None, None, metadata)
    package.commit()
    package.close()
    extra = destination / PurePosixPath(GOLDEN).parent
    extra.mkdir(exist_ok=True)
    if golden is not None:
        shutil.copyfile(golden, destination / GOLDEN)
    for target, result in (evidence or {}).items():
        (destination / EVIDENCE_FOLDER).mkdir(exist_ok=True)
        write_result(result, destination / EVIDENCE_FOLDER / f"{target}.json")
    for name, text in (documents or {}).items():
        (destination / EVIDENCE_FOLDER / name).write_text(text, encoding="utf-8")
    write_sums(destination)


def _with_weights(package: Any, engines: Sequence[EngineFiles]) -> list[EngineSpec]:
    """The engines as the package has them: weights become assets, each once, and files their names in it."""
    weights: dict[Path, str] = {}
    specs = []
    for engine in engines:
        parts = {}
        for name, files in engine.parts.items():
            said = engine.spec.parts[name]
            options = dict(said.session_options)
            source = files.weights
            if source.is_dir():
                if source not in weights:
                    weights[source] = package.add_shared_asset(str(source), copy_in=True)
                options[EXTERNAL_WEIGHTS_KEY] = weights[source]
            parts[name] = dataclasses.replace(said, session_options=options, model_file=engine.path(name))
        specs.append(dataclasses.replace(engine.spec, parts=parts))
    return specs


def _add_assets(package: Any, folder: Path) -> dict[str, str]:
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
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
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
