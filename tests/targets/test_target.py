"""Targets that come with Edgewright are sound; a user's file is read as strictly."""

import dataclasses
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from edgewright_targets import (
    Candidate,
    HostFacts,
    InputError,
    Recipe,
    host_target_name,
    load_target,
    loading,
    target_names,
)
from edgewright_targets.record import read_record
from edgewright_targets.target_file import _own_names, own_text, read_file

TARGET = """
title = "A board"
architecture = "aarch64"
rung = "compiled"
baseline = "cpu-fp32"

[recipe.fp32]

[recipe.int8]
method = "static"
activation_type = "uint8"

[[candidate]]
name = "cpu-fp32"
provider = "CPUExecutionProvider"
precision = "fp32"
recipe = "fp32"

[[candidate]]
name = "cpu-int8"
provider = "CPUExecutionProvider"
precision = "int8"
recipe = "int8"
session_options = { "session.disable_cpu_ep_fallback" = "1" }
"""


@pytest.mark.parametrize("name", target_names())
def test_targets_that_come_with_it(name: str) -> None:
    target = load_target(name)
    assert target.name == name
    assert own_text(name).startswith('kind = "target"\n'), "as docs/declared.md asks of users"
    assert all((target.title, target.architecture, target.candidates))
    names = [candidate.name for candidate in target.candidates]
    assert len(set(names)) == len(names)
    baseline = target.candidates[names.index(target.baseline)]
    # What everything is compared with must be plain float, on the provider that every onnxruntime has.
    assert (baseline.provider, baseline.recipe) == ("CPUExecutionProvider", Recipe())


@pytest.mark.parametrize("name", target_names())
def test_every_recipe_is_used(name: str) -> None:
    data = tomllib.loads((resources.files("edgewright_targets") / f"{name}.toml").read_text(encoding="utf-8"))
    used = {candidate.recipe for candidate in load_target(name).candidates}
    own = {read_record(Recipe, recipe, name) for recipe in data.get("recipe", {}).values()}
    assert own <= used
    assert own or "extends" in data


def test_what_targets_share_is_used_and_is_no_target() -> None:
    shared = [name for name in _own_names() if name not in target_names()]
    used = {recipe for name in target_names() for one in load_target(name).candidates for recipe in _recipes(one)}
    assert shared
    for name in shared:
        assert set(read_file(own_text(name), name).recipe.values()) <= used
        with pytest.raises(InputError, match="Unknown target"):
            load_target(name)


def _recipes(candidate: Candidate) -> tuple[Recipe, ...]:
    return candidate.recipe, *candidate.component_recipes.values()


def test_a_file_of_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "my-board.toml"
    path.write_text(TARGET, encoding="utf-8")
    target = load_target(str(path))
    assert (target.name, target.title, target.rung) == ("my-board", "A board", "compiled")
    assert target.candidates[1].recipe == Recipe(method="static", activation_type="uint8")
    assert target.candidates[1].session_options == {"session.disable_cpu_ep_fallback": "1"}
    assert len({candidate.recipe for candidate in target.candidates}) == 2  # recipes are hashable values


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        (
            'baseline = "cpu-fp32"',
            'baseline = "cpu-fp23"',
            5,
            "'cpu-fp23' is not a candidate.\nDid you mean 'cpu-fp32'",
        ),
        ('recipe = "int8"', 'recipe = "int4"', 23, "asks for the unknown recipe 'int4'.\nDid you mean 'int8'"),
        (
            'recipe = "int8"',
            'recipe = "int8"\nengine = "epcontex"',
            24,
            "engine: 'epcontex' is not known.\nDid you mean 'epcontext'",
        ),
        ('recipe = "int8"', 'recipe = "int8"\nengine = "tensorrt"', 24, "the target has no compute_capabilities"),
        ('name = "cpu-int8"', 'name = "cpu-fp32"', 20, "two candidates have the name 'cpu-fp32'"),
        ('name = "cpu-int8"', 'name = "cpu int8"', 20, "'cpu int8' is not a name"),
        ('rung = "compiled"', 'rung = "guessed"', 4, "'guessed' is not allowed. Allowed: 'measured', 'emulated'"),
        ('method = "static"', 'metod = "static"', 10, "unknown key 'metod'.\nDid you mean 'method'"),
        ('method = "static"', "per_channel = 1", 10, "recipe.int8: per_channel: expected bool, found int 1"),
        ('method = "static"', "block_size = 24", 10, "block_size is 24; expected 16, 32"),
        ('provider = "CPUExecutionProvider"', "", 13, "the key 'provider' is missing"),
        (
            'rung = "compiled"',
            'rung = "compiled"\nmemory = "8 Gb"',
            5,
            "'8 Gb' is not a size.*\nUnits: MB, GB, MiB, GiB",
        ),
        ('rung = "compiled"', 'rung = "compiled"\nmemory = 8', 5, "memory: expected str, found int 8"),
        ('rung = "compiled"', 'rung = "compiled"\nisa = ["amx"]', 5, "isa: 'amx' is not known"),
        ('rung = "compiled"', 'rung = "compiled"\nextends = "pi"', 5, "extends the unknown target 'pi'"),
        ('title = "A board"', "", None, "the key 'title' is missing"),
        ('title = "A board"', "title = ", None, "not valid TOML.*line 2"),
    ],
)
def test_a_wrong_file_is_refused_with_the_line(
    tmp_path: Path, old: str, new: str, line: int | None, message: str
) -> None:
    path = tmp_path / "my-board.toml"
    path.write_text(TARGET.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_target(str(path))
    place = f"{path}: " if line is None else f"{path}:{line}: "
    assert str(caught.value).startswith(place)
    assert caught.match(message)


def test_keys_inside_a_string_of_several_lines_are_no_keys(tmp_path: Path) -> None:
    path = tmp_path / "my-board.toml"
    text = TARGET.replace('title = "A board"', 'title = """A board\nrung = "compiled"\n"""', 1)
    path.write_text(text.replace('rung = "compiled"\nbase', 'rung = "guessed"\nbase'), encoding="utf-8")
    with pytest.raises(InputError, match=r"my-board.toml:6: rung: 'guessed' is not allowed"):
        load_target(str(path))


def test_memory_has_a_unit(tmp_path: Path) -> None:
    path = tmp_path / "my-board.toml"
    for memory, size in (("8 GiB", 8 * 2**30), ("1.5GB", 1_500_000_000), ("512 MB", 512_000_000)):
        path.write_text(f'memory = "{memory}"\n{TARGET}', encoding="utf-8")
        assert load_target(str(path)).memory_bytes == size


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"'nowhere\.toml' cannot be read"):
        load_target("nowhere.toml")


def test_an_unknown_target_suggests() -> None:
    with pytest.raises(InputError, match="Unknown target 'x86_64'") as caught:
        load_target("x86_64")
    assert "Did you mean 'x86-64'" in str(caught.value)
    assert "host" in str(caught.value)


def _on(monkeypatch: pytest.MonkeyPatch, architecture: str) -> None:
    facts = HostFacts(
        architecture=architecture,
        system="Linux",
        cpu="",
        cores=1,
        threads=1,
        memory_bytes=0,
        features=(),
        python="3.11",
    )
    monkeypatch.setattr(loading, "host_facts", lambda: facts)


@pytest.mark.parametrize(("architecture", "name"), [("x86_64", "x86-64"), ("aarch64", "aarch64")])
def test_host_is_the_target_of_this_machine(monkeypatch: pytest.MonkeyPatch, architecture: str, name: str) -> None:
    _on(monkeypatch, architecture)
    assert host_target_name() == name
    assert load_target("host") == load_target(name)


def test_a_board_of_the_same_architecture_is_not_taken_for_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    _on(monkeypatch, "x86_64")
    monkeypatch.setattr(loading, "target_names", lambda: ("aarch64", "atom-board", "x86-64"))
    assert host_target_name() == "x86-64"


def test_a_host_that_no_target_describes(monkeypatch: pytest.MonkeyPatch) -> None:
    _on(monkeypatch, "riscv64")
    assert host_target_name() is None
    with pytest.raises(InputError, match="architecture riscv64") as caught:
        load_target("host")
    assert "Write a target file" in str(caught.value)


def test_a_target_extends_another(tmp_path: Path) -> None:
    path = tmp_path / "my-pi.toml"
    path.write_text('title = "Mine"\nextends = "aarch64"\ncores = 4\nemulated_cpu = "cortex-a72"\n', encoding="utf-8")
    target, below = load_target(str(path)), load_target("aarch64")
    assert (target.name, target.title, target.cores, target.emulated_cpu) == ("my-pi", "Mine", 4, "cortex-a72")
    assert target.candidates == below.candidates


def test_a_target_extends_one_that_extends_another(tmp_path: Path) -> None:
    path = tmp_path / "my-pc.toml"
    path.write_text('title = "Mine"\nextends = "rtx-40"\ncompute_capabilities = ["8.6", "8.9"]\n', encoding="utf-8")
    target, below = load_target(str(path)), load_target("rtx-40")
    assert target.architecture == load_target("x86-64").architecture
    assert [c.recipe for c in target.candidates] == [c.recipe for c in below.candidates]
    assert target.candidates[1].provider_options == {"compute_capabilities": "8.6 8.9"}


def test_a_candidate_says_only_what_is_different(tmp_path: Path) -> None:
    path = tmp_path / "my-pi.toml"
    own = '[[candidate]]\nname = "cpu-int8"\npad_to_multiple_of = 8\ncomponent_recipes = {}\n'
    new = '[[candidate]]\nname = "mine"\nprovider = "CPUExecutionProvider"\nprecision = "fp32"\nrecipe = "fp32"\n'
    path.write_text(f'extends = "aarch64"\n{new}{own}[[candidate]]\nname = "cpu-fp32"\n', encoding="utf-8")
    target, below = load_target(str(path)), {one.name: one for one in load_target("aarch64").candidates}
    assert [one.name for one in target.candidates] == ["mine", "cpu-int8", "cpu-fp32"]
    changed = dataclasses.replace(below["cpu-int8"], pad_to_multiple_of=8, component_recipes={})
    assert target.candidates[1:] == (changed, below["cpu-fp32"])
    path.write_text('extends = "aarch64"\n[[candidate]]\nname = "cpu-int9"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"my-pi.toml: the baseline 'cpu-fp32' is not a candidate"):
        load_target(str(path))
    path.write_text(f"{path.read_text(encoding='utf-8')}[[candidate]]\nname = 'cpu-fp32'\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"my-pi.toml:2: candidate\[0\]: the key 'provider' is missing"):
        load_target(str(path))


def test_options_of_a_provider_are_said_once(tmp_path: Path) -> None:
    path = tmp_path / "my-phone.toml"
    options = 'provider_options.QNNExecutionProvider = { htp_arch = "73", soc_model = "1" }\n'
    own = '[[candidate]]\nname = "npu-int8"\nprovider_options = { soc_model = "2" }\n'
    listed = f'[[candidate]]\nname = "cpu-fp32"\n{own}[[candidate]]\nname = "npu-w8a16"\n'
    path.write_text(f'extends = "snapdragon-8-gen-3"\n{options}{listed}', encoding="utf-8")
    found = {one.name: one.provider_options for one in load_target(str(path)).candidates}
    npu = {"htp_arch": "73", "soc_model": "1"}
    assert found == {"cpu-fp32": {}, "npu-int8": {"soc_model": "2"}, "npu-w8a16": npu}
    path.write_text('extends = "snapdragon-8-gen-3"\nprovider_options.CPUExecutionProvider = {}\n', encoding="utf-8")
    assert load_target(str(path)).candidates == load_target("snapdragon-8-gen-3").candidates
    # The other file's options of a provider that this one has no candidate of stay behind.
    path.write_text('extends = "snapdragon-8-gen-3"\n[[candidate]]\nname = "cpu-fp32"\n', encoding="utf-8")
    assert [one.provider_options for one in load_target(str(path)).candidates] == [{}]
    path.write_text(options.replace("QNN", "QNM") + 'extends = "snapdragon-8-gen-3"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"my-phone.toml:1: .*no candidate has the provider 'QNMExec.*\nDid you mean"):
        load_target(str(path))


def test_a_target_cannot_extend_the_unknown(tmp_path: Path) -> None:
    path = tmp_path / "my-pi.toml"
    path.write_text('title = "Mine"\nextends = "arch64"\n', encoding="utf-8")
    with pytest.raises(InputError, match="unknown target 'arch64'"):
        load_target(str(path))


def test_a_board_is_measured_on_that_board_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from edgewright_targets import hardware as module

    pi, any_arm = load_target("raspberry-pi-5"), load_target("aarch64")
    monkeypatch.setattr(module, "architecture", lambda: "aarch64")
    monkeypatch.setattr(module, "read_text", lambda _: "Raspberry Pi 4 Model B Rev 1.4\0")
    assert any_arm.matches_machine()
    assert not pi.matches_machine()
    monkeypatch.setattr(module, "read_text", lambda _: "Raspberry Pi 5 Model B Rev 1.0\0")
    assert pi.matches_machine()
