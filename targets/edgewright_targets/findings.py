"""What is wrong with an input, collected, so that all of it is said at once and not one thing a try."""

from __future__ import annotations

from edgewright_targets.errors import InputError


class CollectedInputError(InputError):
    """Several things are wrong.

    Attributes:
        errors: Each of them, in the order in which they were found.
    """

    def __init__(self, errors: tuple[InputError, ...]) -> None:
        super().__init__(f"There are {len(errors)} errors.")
        # Each is bounded; together they may be longer.
        self.message += "\n" + "\n".join(str(error) for error in errors)
        self.errors = errors


class _Noting:
    # A class, because of a generator type checkers believe that it ends no error.
    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, InputError):
            self._findings.add(error)
            return True
        return False


class Findings:
    """Collects errors of checks that do not depend on one another.

    >>> findings = Findings()
    >>> with findings.noted():
    ...     raise InputError("The table is empty.")
    >>> findings.raise_any()
    Traceback (most recent call last):
    ...
    edgewright_targets.errors.InputError: The table is empty.
    """

    def __init__(self) -> None:
        self._errors: dict[str, InputError] = {}

    def noted(self) -> _Noting:
        """For a `with` block: keep its `InputError`, and go on behind it."""
        return _Noting(self)

    def add(self, error: InputError) -> None:
        """Keep an error, or each of several; one that says the same as another is kept once."""
        for one in error.errors if isinstance(error, CollectedInputError) else (error,):
            self._errors.setdefault(str(one), one)

    def raise_any(self) -> None:
        """Raise what was found, if anything was.

        Raises:
            InputError: The only one that was found.
            CollectedInputError: All that were found.
        """
        errors = tuple(self._errors.values())
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise CollectedInputError(errors)
