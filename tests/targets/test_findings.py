"""Errors that are collected: each is said once, in order, and what is not an error of an input goes through."""

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
    with pytest.raises(CollectedInputError, match="There are 3 errors") as caught:
        outer.raise_any()
    assert [error.message for error in caught.value.errors] == ["a", "b", "c"]
    assert str(caught.value).splitlines() == ["There are 3 errors.", "a", "Mend it.", "b", "Mend it.", "c"]
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("kind", [CheckFailedError, ValueError, KeyboardInterrupt])
def test_other_errors_go_through(kind: type[BaseException]) -> None:
    findings = Findings()
    with pytest.raises(kind), findings.noted():
        raise kind("a")


def test_a_message_is_bounded_wherever_it_is_raised() -> None:
    error = InputError("a" * 70_000, hint="b" * 70_000)
    assert len(str(error)) < 9000
    assert "66,000 characters left out" in error.message
    assert "66,000 characters left out" in error.hint
    assert error.args == (error.message,)


def test_of_several_findings_each_is_bounded_and_none_is_lost() -> None:
    with pytest.raises(CollectedInputError) as caught:
        _findings(*(letter * 3000 for letter in "abc")).raise_any()
    assert all(letter * 3000 in str(caught.value) for letter in "abc")
