"""The format of packages: a stored one of its first number, newer ones, and manifests that no build writes."""

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgewright_runtime import (
    DamagedPackageError,
    Package,
    PackageError,
    PackageTooNewError,
    load,
    manifest_file,
    verify,
)
from edgewright_runtime.manifest import (
    FORMAT,
    ComparisonSpec,
    EnginePart,
    EngineSpec,
    Manifest,
    PartSpec,
    PipelineSpec,
    SourceFacts,
    StepSpec,
)
from edgewright_runtime.manifest_file import engine_variant, manifest_metadata, read_manifest
from edgewright_runtime.selftest import golden_samples
from edgewright_targets import InputError
from edgewright_targets.hardware import Hardware
from edgewright_targets.host import architecture
from edgewright_targets.recipe import Recipe
from sums import reseal

on_x86 = pytest.mark.skipif(architecture() != "x86_64", reason="the engine of the stored package is for x86-64")


def _edit(package: Path, change: Callable[[dict[str, Any], dict[str, Any]], object]) -> None:
    """Change what is ours in the manifest: of the package, and of its engine."""
    path = package / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    (variant,) = data["components"]["model"]["variants"].values()
    change(data["additional_metadata"]["edgewright"], variant["executor_info"]["edgewright"])
    path.write_text(json.dumps(data), encoding="utf-8")
    reseal(package)


def _edit_golden(package: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = package / "edgewright" / "golden.npz"
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(path, **arrays)
    reseal(package)


@on_x86
def test_a_package_of_format_1(old_package: Path) -> None:
    assert verify(old_package).samples == 8
    golden = golden_samples(old_package / "edgewright" / "golden.npz")[0]
    with load(old_package) as model:
        answer = model(golden.sample)
    for name, expected in golden.outputs.items():
        np.testing.assert_allclose(answer[name], expected, atol=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        lambda ours, engine: (ours.update(format=5, licence="x"), engine.update(format=5)),
        lambda ours, engine: (ours.update(format=5), engine.update(format=5), engine["recipe"].update(new=1)),
        lambda ours, engine: engine.update(format=5, new=1),
    ],
)
def test_a_newer_package_is_called_newer(old_package: Path, change: Callable[[Any, Any], object]) -> None:
    _edit(old_package, change)
    with pytest.raises(PackageTooNewError, match="has format 5; this version of Edgewright reads up to 4"):
        Package.open(old_package)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"format": 1', '"format": 1, "format": 1', "the key 'format' appears twice"),
        ('"name": "perceptron"', '"name": "a", "name": "b"', "the key 'name' appears twice"),
        ('"tolerance": 0.0001220703125', '"tolerance": NaN', "NaN is not JSON"),
        ('"tolerance": 0.0001220703125', '"tolerance": -Infinity', "-Infinity is not JSON"),
        ('"tolerance": 0.0001220703125', '"tolerance": 1e999', "tolerance is inf"),
        ('"tolerance": 0.0001220703125', '"tolerance": 1e308', "tolerance is 1e+308"),
        ('"tolerance": 0.0001220703125', '"tolerance": -1', "tolerance is -1"),
        ('"tolerance": 0.0001220703125', f'"tolerance": 1{"0" * 400}', "tolerance: the number is too large"),
        ('"tolerance": 0.0001220703125', f'"tolerance": 1{"0" * 5000}', "this is not an Edgewright package"),
        (
            '"shared_assets": {}',
            '"shared_assets": {' + ",".join(f'"k{number}": 1' for number in range(1_001)) + "}",
            "a table has 1001 keys; 1000 are allowed",
        ),
    ],
)
def test_a_manifest_that_no_build_writes(old_package: Path, old: str, new: str, says: str) -> None:
    path = old_package / "manifest.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(says)) as refused:
        Package.open(old_package)
    assert len(str(refused.value)) < 1000


def test_an_order_of_many_engines(old_package: Path) -> None:
    _edit(old_package, lambda ours, _: ours.update(order=[f"engine-{number}" for number in range(5000)]))
    with pytest.raises(PackageError, match="and 4992 more") as refused:
        Package.open(old_package)
    assert len(str(refused.value)) < 1000


def test_a_pipeline_of_many_steps(old_package: Path) -> None:
    _edit(old_package, lambda ours, _: ours["pipeline"].update(steps=ours["pipeline"]["steps"] * 300))
    with pytest.raises(PackageError, match="steps; 256 are allowed"):
        Package.open(old_package)


def _without(arrays: dict[str, Any], part: str) -> None:
    for name in [name for name in arrays if part in name]:
        del arrays[name]


@on_x86
def test_verify_demands_golden_samples(old_package: Path) -> None:
    _edit_golden(old_package, lambda arrays: arrays.update(samples=np.frombuffer(b"[]", np.uint8)))
    with pytest.raises(DamagedPackageError, match="has no golden samples"):
        verify(old_package)


@on_x86
def test_verify_demands_outputs(old_package: Path) -> None:
    _edit_golden(old_package, lambda arrays: _without(arrays, "3/output/"))
    with pytest.raises(DamagedPackageError, match="the golden sample 3 has no outputs"):
        verify(old_package)


def test_golden_samples_are_few(old_package: Path) -> None:
    many = json.dumps([None] * 100_000).encode()
    _edit_golden(old_package, lambda arrays: arrays.update(samples=np.frombuffer(many, np.uint8)))
    with pytest.raises(PackageError, match="has 100000 golden samples; 1024 are allowed"):
        golden_samples(old_package / "edgewright" / "golden.npz")


@on_x86
def test_verify_refuses_a_tolerance_that_everything_is_within(old_package: Path) -> None:
    _edit(old_package, lambda _, engine: engine.update(tolerance=1e6))
    with pytest.raises(
        DamagedPackageError, match=r"tolerance 1e\+06; builds write at most .* for these golden outputs"
    ):
        verify(old_package)


class _Broken:
    """A step that fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        raise self._error


@on_x86
class TestWhatAStepRaises:
    """A bug of ours is not the package's fault, and shows its traceback."""

    @pytest.mark.parametrize("error", [KeyError("scores"), TypeError("no"), AttributeError("no")])
    def test_a_bug_is_a_bug(self, old_package: Path, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        with load(old_package) as model:
            monkeypatch.setattr(model.pipeline, "steps", [_Broken(error)])
            with pytest.raises(type(error)) as caught:
                model({"pixels": np.zeros((1, 8), np.float32)})
            assert caught.value is error
            # Of a package that is not as it was packed nobody can tell.
            manifest = old_package / "manifest.json"
            manifest.write_text(manifest.read_text(encoding="utf-8") + "\n", encoding="utf-8")
            with pytest.raises(PackageError, match="do not fit together"):
                model({"pixels": np.zeros((1, 8), np.float32)})

    @pytest.mark.parametrize("error", [NameError("no"), AssertionError("no"), RuntimeError("no"), ImportError("no")])
    def test_what_no_values_cause_is_never_hidden(
        self, old_package: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (old_package / "SHA256SUMS").unlink()
        with load(old_package) as model:
            monkeypatch.setattr(model.pipeline, "steps", [_Broken(error)])
            with pytest.raises(type(error)):
                model({"pixels": np.zeros((1, 8), np.float32)})

    @pytest.mark.parametrize("error", [ValueError("shapes"), IndexError("3"), ZeroDivisionError("0")])
    def test_shapes_and_ranges_are_of_the_graph(
        self, old_package: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with load(old_package) as model:
            monkeypatch.setattr(model.pipeline, "steps", [_Broken(error)])
            with pytest.raises(PackageError, match="do not fit together") as caught:
                model({"pixels": np.zeros((1, 8), np.float32)})
            assert caught.value.__cause__ is error

    def test_a_name_that_nothing_gives_is_the_manifests(self, old_package: Path) -> None:
        _edit(old_package, lambda package, _: package["pipeline"].update(output="labels"))
        with load(old_package) as model, pytest.raises(PackageError, match="nothing gives 'labels'"):
            model({"pixels": np.zeros((1, 8), np.float32)})


# Number of fields of what a package holds, at FORMAT 4, without those that are left out of the file where they have
# their default. Another new field raises FORMAT, see the history beside it.
FIELDS = {
    Manifest: 14,
    PipelineSpec: 5,
    StepSpec: 2,
    ComparisonSpec: 3,
    PartSpec: 2,
    SourceFacts: 3,
    EnginePart: 3,
    EngineSpec: 12,
    Recipe: 14,
    Hardware: 4,
}


def test_a_new_field_raises_the_format() -> None:
    assert FORMAT == 4
    written = {kind: [one for one in dataclasses.fields(kind) if not one.metadata] for kind in FIELDS}
    assert {kind: len(those) for kind, those in written.items()} == FIELDS


def test_a_recipe_of_before_says_attention_in_other_words(old_package: Path) -> None:
    _edit(old_package, lambda _, engine: engine["recipe"].update(fused_attention=True))
    (engine,) = Package.open(old_package).manifest.engines.values()
    assert engine.recipe.rewrites == ("attention",)


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({}, 2),
        ({"engine": "openvino"}, 3),
        ({"recipe": "reduce_range"}, 3),
        ({"component_recipes": "smooth_quant"}, 3),
        ({"recipe": "float_groups"}, 4),
    ],
)
def test_what_is_written_has_the_number_that_knows_it(
    old_package: Path, changes: dict[str, str], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older readers open what they know, and say of the rest that it is newer."""
    manifest = Package.open(old_package).manifest
    (spec,) = manifest.engines.values()
    recipes = {
        "reduce_range": dataclasses.replace(spec.recipe, reduce_range=True),
        "smooth_quant": dataclasses.replace(spec.recipe, smooth_quant=0.5),
        "float_groups": dataclasses.replace(spec.recipe, float_groups=("grids",)),
    }
    if "engine" in changes:
        spec = dataclasses.replace(spec, engine="openvino", provider="OpenVINO")
    if "recipe" in changes:
        spec = dataclasses.replace(spec, recipe=recipes[changes["recipe"]])
    if "component_recipes" in changes:
        spec = dataclasses.replace(spec, component_recipes={"model": recipes["smooth_quant"]})
    newer = dataclasses.replace(manifest, engines={spec.name: spec})
    file: dict[str, Any] = {
        "components": {"model": {"variants": {spec.name: engine_variant(spec, "model")}}},
        "additional_metadata": {"edgewright": manifest_metadata(newer)},
    }
    text = json.dumps(file).encode()
    assert file["additional_metadata"]["edgewright"]["format"] == number
    assert read_manifest(text, "p").engines == newer.engines
    monkeypatch.setattr(manifest_file, "FORMAT", 2)
    if number == 2:
        assert read_manifest(text, "p").engines == newer.engines
        return
    with pytest.raises(PackageTooNewError, match=f"has format {number}; this version of Edgewright reads up to 2"):
        read_manifest(text, "p")
