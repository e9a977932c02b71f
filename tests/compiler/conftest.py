"""No test of this folder sees the user's own cache."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(shared_cache: Path) -> None:
    """One cache for all tests that build."""
