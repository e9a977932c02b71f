"""What the table of steps says of each is what its class does: other rooms ask the table, and import no step."""

import ast

import pytest

from edgewright_runtime.generation.settings import OPTIONS
from edgewright_runtime.steps import STEPS, StepKind, step_class, step_kind
from edgewright_runtime.steps.call_options import CALL_OPTIONS
from edgewright_runtime.steps.options import option_types, surroundings_of
from reached import nodes_reached

# Options of a call that a manifest names, in the options of `prompt` and `transcribe`.
NAMED_BY_MANIFESTS = {"prompt", "language", "task"}
# Of every call, whatever its steps are.
OF_EVERY_CALL = {"top_k"}


def call_options_read(step: str) -> set[str]:
    """Names that the code of a step looks for among the options of a call, as in `options.get("threshold")`."""
    found = set()
    for node in nodes_reached(f"edgewright_runtime.steps.{STEPS[step].place}", "edgewright_runtime", {}):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="options") | ast.Attribute(attr="options"), attr="get"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                found.add(name)
    return found - OF_EVERY_CALL - NAMED_BY_MANIFESTS


@pytest.mark.parametrize("step", STEPS)
def test_the_options_of_a_call_that_a_step_reads_are_declared(step: str) -> None:
    # Batches are made around the steps; settings of generation are read by all their names at once.
    elsewhere = {"batch_size", *(OPTIONS if set(OPTIONS) <= set(STEPS[step].call_options) else ())}
    assert call_options_read(step) == set(STEPS[step].call_options) - elsewhere


@pytest.mark.parametrize("step", STEPS)
def test_options_of_a_manifest_tell_what_a_step_does(step: str) -> None:
    options = option_types(step_class(step))
    assert STEPS[step].loops == ("loop" in options)
    assert STEPS[step].tokenizes == ({"max_length", "outputs"} <= options.keys())


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_given_a_package_and_an_engine_where_it_asks(step: str) -> None:
    assert surroundings_of(step_class(step)) in ((), ("package",), ("engine",), ("package", "engine"))


@pytest.mark.parametrize("step", STEPS)
def test_steps_that_take_batches_take_their_size(step: str) -> None:
    takes = "batch_size" in STEPS[step].call_options
    assert takes == hasattr(step_class(step), "many")


def test_steps_that_generate_take_every_setting_of_a_call() -> None:
    taking = [name for name, kind in STEPS.items() if {*OPTIONS} <= {*kind.call_options}]
    assert taking == ["transcribe", "generate"]
    assert set(STEPS["generate"].call_options) == {*OPTIONS, "batch_size"}
    assert set(STEPS["transcribe"].call_options) == {*OPTIONS, "batch_size", "timestamps"}


def test_what_people_are_told_of_is_taken() -> None:
    taken = {name for kind in STEPS.values() for name in kind.call_options}
    assert CALL_OPTIONS.keys() - taken == NAMED_BY_MANIFESTS


def test_of_an_unknown_step_nothing_is_known() -> None:
    assert step_kind("from_a_later_version") == StepKind(place="")
