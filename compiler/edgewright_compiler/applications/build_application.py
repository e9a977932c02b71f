"""From the file of an application to its package: the packages of its models, and how values flow between them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_benchmarks.result_files import write_evidence
from edgewright_compiler.applications.flow_options import check_options
from edgewright_compiler.applications.form import ApplicationFile, ApplicationModel
from edgewright_compiler.build_files.build_text import read_models
from edgewright_compiler.build_files.form import ModelFile
from edgewright_compiler.build_files.plan import PlannedBuild, plan_models
from edgewright_compiler.building.assemble import write_sums
from edgewright_compiler.building.output_folder import OutputFolder
from edgewright_runtime.applications.application import (
    EVIDENCE_FILE,
    LEAST_FORMAT,
    ApplicationPackage,
    ApplicationRecord,
    signatures,
)
from edgewright_runtime.applications.checks import CheckedFlow, check_flow, check_references
from edgewright_runtime.applications.declaration import Flow, ModelUse
from edgewright_runtime.applications.golden import GOLDEN_FILE, write_whole_golden
from edgewright_runtime.package import APPLICATION, Package
from edgewright_targets import InputError, load_target
from edgewright_targets.declared import declared_text, read_declared
from edgewright_targets.errors import nearest
from edgewright_targets.record import RecordError, format_needed, write_record
from edgewright_targets.toml_lines import parse_toml, with_line

if TYPE_CHECKING:
    from edgewright_compiler.applications.prove_whole import ProvenWhole

# What `kind` says in such a file.
KIND = "application"
# Where the packages of models lie in that of an application.
_MODELS = "models"


@dataclass(frozen=True)
class BuiltApplication:
    """What a build of an application gives.

    Attributes:
        package: Its folder.
        checked: Its steps.
        models: The packages of its models.
        archive: The package as one file, where that was asked for.
        whole: What was measured of the whole, and its golden samples.
    """

    package: Path
    checked: CheckedFlow
    models: dict[str, Package]
    archive: Path | None
    whole: ProvenWhole


def declares_application(source: str | None) -> bool:
    """Whether `source` is a file that declares an application; what is wrong with it is said where it is read."""
    path = Path(source or "")
    if path.suffix != ".toml" or not path.is_file():
        return False
    try:
        return parse_toml(declared_text(path, "application"), str(path)).get("kind") == KIND
    except InputError:
        return False


def build_application(
    source: str | Path,
    output: str | Path,
    *,
    given: Mapping[str, object] | None = None,
    archive: bool = False,
    progress: Progress | None = None,
    build_model: Callable[[PlannedBuild], object] | None = None,
) -> BuiltApplication:
    """Write the package of an application; models that are declared by their sources are built before.

    Args:
        source: The file that declares it. Paths in it are relative to its folder.
        output: The package folder to write.
        given: Settings by name (see `SETTINGS`) that a call says for the builds of all models. Its `targets` are also
            those that packages of the file must have been built for, and its `data` is that of the whole.
        archive: Also write the package as one file beside it.
        progress: Hears of the steps of the work.
        build_model: Builds a model; by default `build`.

    Raises:
        InputError: Something in the file is wrong, with its line, or a package is missing, damaged or for other
            targets.
    """
    # Metrics bring their libraries, and whoever builds one model needs none of them yet.
    from edgewright_benchmarks.applications.value_metrics import check_metrics
    from edgewright_compiler.applications.prove_whole import prove_whole
    from edgewright_compiler.applications.whole_settings import OF_THE_WHOLE, whole_settings
    from edgewright_compiler.applications.whole_threshold import check_threshold
    from edgewright_compiler.applications.whole_weights import steps_to_fit, with_weights

    given, progress = given or {}, progress or Quiet()
    path = Path(source)
    folder = OutputFolder(Path(output), archive=archive)
    text = declared_text(path, "application")
    file = read_declared(ApplicationFile, KIND, text, str(path))
    try:
        settings = whole_settings(file, path, given)
        given = {name: value for name, value in given.items() if name not in OF_THE_WHOLE}
        plans = _plans(path, text, file, given)
        flow = _flow(file, plans)
        check_references(flow, str(path))
        _check_output(path, flow, folder, archive=archive)
        check_threshold(flow, path, settings)
        to_fit = steps_to_fit(flow, path, settings)
        flow = with_weights(flow, {name: {} for name in to_fit})
        # What is wrong with the packages that are there is said before minutes of work.
        models = {name: _model(path, name, use, given) for name, use in flow.model.items() if name not in plans}
        for number, (name, plan) in enumerate(plans.items(), 1):
            progress.note(f"Building '{name}' ({number} of {len(plans)})")
            (build_model or partial(_build, progress=progress))(plan)
            models[name] = _model(path, name, flow.model[name], {})
        models = {name: models[name] for name in flow.model}
        checked = check_flow(flow, signatures(models), str(path))
        check_metrics(flow, checked.types, str(path))
        check_options(flow, {name: package.manifest for name, package in models.items()}, str(path))
    except RecordError as error:
        raise with_line(error, text, str(path)) from error
    left = f"'{folder.path}' is as it was before."

    def fill(whole: Path) -> None:
        if proven.golden.samples:
            write_whole_golden(whole / GOLDEN_FILE, proven.golden.samples)
        if proven.result is not None:
            write_evidence(proven.result, whole / EVIDENCE_FILE)
        for name, package in models.items():
            progress.note(f"Copying the package of '{name}'")
            package.check_digests()
            shutil.copytree(package.root, whole / _MODELS / name)
        packed = replace(proven.checked.flow, model={name: ModelUse(f"{_MODELS}/{name}") for name in models})
        evidence = "" if proven.result is None else EVIDENCE_FILE
        record = ApplicationRecord(
            LEAST_FORMAT,
            path.stem,
            packed,
            proven.golden.facts,
            evidence,
            max_memory=settings.max_memory,
            memory=proven.memory,
            on_float=proven.on_float,
        )
        record = replace(record, format=max(LEAST_FORMAT, format_needed(record)))
        written = json.dumps(write_record(record), indent=2, ensure_ascii=False)
        (whole / APPLICATION).write_text(f"{written}\n", encoding="utf-8")
        write_sums(whole)

    with folder.reserved(left):
        try:
            proven = prove_whole(ApplicationPackage(path, path.stem, checked, models), settings, progress, to_fit)
        except RecordError as error:
            raise with_line(error, text, str(path)) from error
        folder.fill_with(fill)
        made = folder.write_archive() if archive else None
    return BuiltApplication(folder.path, proven.checked, models, made, proven)


def _plans(path: Path, text: str, file: ApplicationFile, given: Mapping[str, object]) -> dict[str, PlannedBuild]:
    """The builds of the models that are declared by their sources."""
    sources: dict[str, ModelFile] = {}
    for name, model in file.model.items():
        if (model.package is None) == (model.source is None):
            raise RecordError(
                f"{path}: the model '{name}' needs one of 'package' and 'source'.",
                hint="'package' is one that was built before; 'source' is built now.",
                keys=("model", name),
            )
        if model.source is not None:
            sources[name] = model
        elif model != ApplicationModel(package=model.package):
            raise RecordError(
                f"{path}: the model '{name}' is a package, and has settings of a build.",
                hint="Leave them out, or say its 'source'.",
                keys=("model", name),
            )
    return {plan.name: plan for plan in plan_models(read_models(path, text, sources), given, path)}


def _flow(file: ApplicationFile, plans: Mapping[str, PlannedBuild]) -> Flow:
    uses = {
        name: ModelUse(str(Path(plans[name].options.output).absolute()) if name in plans else str(model.package))
        for name, model in file.model.items()
    }
    return Flow(file.input, file.answer, file.step, uses, file.metric)


def _check_output(path: Path, flow: Flow, folder: OutputFolder, *, archive: bool) -> None:
    """Raise where the package of the application would replace that of one of its models."""
    written = {folder.path.resolve()} | ({folder.archive.resolve()} if archive else set())
    for name, use in flow.model.items():
        if (path.parent / use.package).resolve() in written:
            raise RecordError(
                f"{path}: '{folder.path}' is the package of the model '{name}', and the application would replace it.",
                hint="Choose another -o.",
                keys=("model", name, "package"),
            )


def _build(plan: PlannedBuild, progress: Progress) -> None:
    # A build brings all of the compiler, and most applications are made of packages.
    from edgewright_compiler.package_build import build

    build(plan.source, plan.options, progress=progress)


def _model(path: Path, name: str, use: ModelUse, given: Mapping[str, object]) -> Package:
    try:
        package = Package.open(path.parent / use.package)
    except InputError as error:
        raise RecordError(f"{path}: {error.message}", hint=error.hint, keys=("model", name, "package")) from error
    package.check_digests()
    targets = given.get("targets", ())
    for target in targets if isinstance(targets, tuple) else ():
        # 'host' and a file stand for a target of another name.
        if target not in package.targets and load_target(str(target)).name not in package.targets:
            raise RecordError(
                f"{path}: the package of '{name}' was not built for the target '{target}'.",
                hint=nearest(str(target), package.targets),
                keys=("model", name, "package"),
            )
    return package
