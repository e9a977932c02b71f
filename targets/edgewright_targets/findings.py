"""What is wrong with an input, collected, so that all of it is said at once and not one thing a try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edgewright_targets.errors import InputError


class CollectedInputError(InputError):
    """Several things are wrong.

    Attributes:
        errors: Each of them, in the order in which they were found.
    """

    def __init__(self, errors: tuple[InputError, ...]) -> None:
        super().__init__(f"{len(errors)} things are wrong.\n" + "\n".join(str(error) for error in errors))
        self.errors = errors


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

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Keep an `InputError` of the block, and go on behind it."""
        try:
            yield
        except CollectedInputError as several:
            self._errors |= {str(error): error for error in several.errors}
        except InputError as error:
            self._errors.setdefault(str(error), error)

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
