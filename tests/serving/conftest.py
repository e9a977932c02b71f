"""One server for all tests of this folder that only ask; tests of limits start their own."""

from collections.abc import Iterator

import pytest

import hand_made
from hand_made import Made
from server_process import RunningServer, serving


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A package of each kind: do not write into them."""
    return hand_made.write_all(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def server(made: Made) -> Iterator[RunningServer]:
    """A server of them all."""
    packages = (made.writer, made.embedder, made.recogniser, made.colours, made.listener)
    with serving(*packages, f"perceptron={hand_made.ARRAYS}") as running:
        yield running
