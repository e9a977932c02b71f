"""Errors that are collected: each is said once, in order, and what is no error of an input goes through."""

import pytest

from edgewright_targets import CheckFailedError, InputError
from edgewright_targets.findings import CollectedInputError, Findings


def _findings(*messages: str) -> Findings:
    findings = Findings()
    for message in messages:
        with findings.noted():
            raise InputError(message, hint="Mend it.")
    return findings


def test_nothing_found() -> None:
    _findings().raise_any()


def test_one_is_itself() -> None:
    with pytest.raises(InputError) as caught:
        _findings("a").raise_any()
    assert type(caught.value) is InputError
    assert caught.value.hint == "Mend it."


def test_several_in_order_and_once() -> None:
    outer = Findings()
    with outer.noted():
        _findings("a", "b", "a").raise_any()
    with outer.noted():
        raise InputError("c")
    with pytest.raises(CollectedInputError, match="3 things are wrong") as caught:
        outer.raise_any()
    assert [error.message for error in caught.value.errors] == ["a", "b", "c"]
    assert str(caught.value).splitlines() == ["3 things are wrong.", "a", "Mend it.", "b", "Mend it.", "c"]
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("kind", [CheckFailedError, ValueError, KeyboardInterrupt])
def test_other_errors_go_through(kind: type[BaseException]) -> None:
    findings = Findings()
    with pytest.raises(kind), findings.noted():
        raise kind("a")
