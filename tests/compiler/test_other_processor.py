"""Engines of whole numbers on another processor than the one that judged them."""

import dataclasses
import platform
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_runtime import OtherProcessorWarning, Package, load, loading
from edgewright_targets import Target, host_facts, load_target
from edgewright_targets.host import KNOWN_FEATURES
from tiny_targets import candidate_text, write_target

EXACT = "session.x64quantprecision"

x86_only = pytest.mark.skipif(platform.machine() != "x86_64", reason="integer products saturate on x86-64 alone")

Judged = Callable[..., Package]


@pytest.fixture
def judged(built_arrays: Path) -> Judged:
    """A built package as if it had been judged on such a processor, with an int8 engine of these exact products."""
    package = Package.open(built_arrays)
    manifest = package.manifest
    baseline = manifest.engines[manifest.baselines["tiny"]]

    def make(features: tuple[str, ...], exact: str = "0") -> Package:
        part = dataclasses.replace(baseline.parts["model"], session_options={**baseline.parts["model"].session_options})
        part.session_options[EXACT] = exact
        recipe = dataclasses.replace(baseline.recipe, method="static")
        spec = dataclasses.replace(baseline, recipe=recipe, parts={"model": part})
        engines = {**manifest.engines, spec.name: spec}
        return dataclasses.replace(
            package, manifest=dataclasses.replace(manifest, engines=engines, judged_on={"tiny": features})
        )

    return make


@pytest.fixture(params=["with", "without"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The features of where it was judged, while this machine is of the other kind."""
    both = {"with": ("avx2", "avx512_vnni"), "without": ("avx2",)}
    there = both.pop(request.param)
    (here,) = both.values()
    monkeypatch.setattr(loading, "host_facts", lambda: dataclasses.replace(host_facts(), features=here))
    return there


@x86_only
def test_loading_an_int8_engine_elsewhere_is_said(judged: Judged, elsewhere: tuple[str, ...]) -> None:
    package = judged(elsewhere)
    name = package.manifest.baselines["tiny"]
    had = "avx512_vnni" if len(elsewhere) > 1 else "no instructions for integer products"
    with pytest.warns(OtherProcessorWarning, match=f"It was judged on a processor with {had}"):
        model = load(package, engine=name)
    assert "edgewright bench" in model.engine.reason


@x86_only
@pytest.mark.parametrize(("there", "here"), [("avx512_bf16", "avx2"), ("avx2", "amx_bf16")])
def test_a_precision_that_the_provider_decides_is_another_elsewhere(
    built_arrays: Path, monkeypatch: pytest.MonkeyPatch, there: str, here: str
) -> None:
    """OpenVINO takes bfloat16 where the processor has it: what was judged in float32 is not float32 everywhere."""
    plain = Package.open(built_arrays)
    name = plain.manifest.baselines["tiny"]
    monkeypatch.setattr(loading, "host_facts", lambda: dataclasses.replace(host_facts(), features=(here,)))

    def judged(precision: str) -> Package:
        spec = dataclasses.replace(plain.manifest.engines[name], precision=precision)
        engines = {**plain.manifest.engines, name: spec}
        manifest = dataclasses.replace(plain.manifest, engines=engines, judged_on={"tiny": (there,)})
        return dataclasses.replace(plain, manifest=manifest)

    with pytest.warns(
        OtherProcessorWarning, match=f"judged on a processor with .*{'bfloat16' if there == 'avx2' else there}"
    ):
        load(judged("default"), engine=name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(judged("fp32"), engine=name)


@x86_only
def test_nothing_is_said_where_no_sum_can_saturate(
    judged: Judged, elsewhere: tuple[str, ...], built_arrays: Path
) -> None:
    exact, plain = judged(elsewhere, "1"), Package.open(built_arrays)
    floats = dataclasses.replace(plain, manifest=dataclasses.replace(plain.manifest, judged_on={"tiny": elsewhere}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(exact, engine=exact.manifest.baselines["tiny"])
        load(floats, engine=floats.manifest.baselines["tiny"])


def test_a_package_names_the_instruction_sets_it_was_judged_on(built_arrays: Path) -> None:
    assert Package.open(built_arrays).manifest.judged_on == {"tiny": host_facts().features}


def candidates(target: Target) -> list[str]:
    return [candidate.name for candidate in target.candidates]


@x86_only
@pytest.mark.parametrize("vnni", ["avx_vnni", "avx512_vnni"])
def test_exact_products_are_tried_where_sums_saturate(vnni: str) -> None:
    target = load_target("x86-64")
    lacking, having = target.for_processor(("avx2",)), target.for_processor(("avx2", vnni))
    assert set(candidates(lacking.for_float())) - set(candidates(having.for_float())) == {
        "cpu-int8-exact",
        "cpu-int8-reduced",
    }
    assert set(candidates(lacking.for_quantized())) - set(candidates(having.for_quantized())) == {"cpu-as-is-exact"}


def test_a_target_elsewhere_has_no_candidate_for_lack_of_instructions() -> None:
    target = dataclasses.replace(load_target("x86-64"), architecture="elsewhere")
    assert not any(candidate.without_isa for candidate in target.for_processor(()).candidates)


def test_a_target_elsewhere_has_candidates_for_the_instructions_that_it_names() -> None:
    base = load_target("x86-64")
    wanting = dataclasses.replace(base.candidates[-1], name="wanting", with_isa=("avx512_bf16", "amx_bf16"))
    target = dataclasses.replace(base, architecture="elsewhere", candidates=(*base.candidates, wanting))
    assert "wanting" not in candidates(target.for_processor(("amx_bf16",)))
    assert "wanting" in candidates(dataclasses.replace(target, isa=("amx_bf16",)).for_processor(()))


def test_a_build_tries_what_its_processor_lacks(sources: Path, tmp_path: Path) -> None:
    mine = host_facts().features
    more = (
        candidate_text("cpu-lacking", "int8", without_isa=sorted(set(KNOWN_FEATURES) - set(mine))),
        candidate_text("cpu-having", "int8", without_isa=mine),
        candidate_text("cpu-wanting", "int8", with_isa=sorted(set(KNOWN_FEATURES) - set(mine))),
        candidate_text("cpu-wanted", "int8", precision="int8-again", with_isa=[mine[0]]),
        candidate_text("cpu-quantized", "int8", quantized_only=True),
    )
    target = write_target(tmp_path / "tiny.toml", *more)
    options = BuildOptions(output=tmp_path / "p", targets=(str(target),), calibration=sources / "inputs.npz")
    (job,) = read_jobs(str(sources / "perceptron.onnx"), options)
    assert candidates(job.target) == ["cpu-fp32", "cpu-int8", "cpu-lacking", "cpu-wanted"]
