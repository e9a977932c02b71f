"""What goes wrong in other people's exporters, in words for the person who has the model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from edgewright_targets import InputError, MissingDependencyError

_OPERATOR = re.compile(r"No ONNX function found for <OpOverload\(op='([^']+)'")
_MISSING = re.compile(r"(?:operator|op(?:erator)? type)[^'\"]*['\"]?([a-z_]+(?:::|\.)[\w.]+)")
_PLACE = re.compile(r'File "([^"]+)", line (\d+), in (\w+)\n\s*(.+)')


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn a missing library inside the block into the pip command that installs it."""
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(
            f"This needs the library '{error.name or error}', which is not installed.",
            hint=f"Install it with: pip install 'edgewright[{extra}]'",
        ) from error


@contextmanager
def export_failures(source: str) -> Iterator[None]:
    """Turn an exporter's failure into an error that names the operator and its place in the source."""
    import contextlib
    import io
    import logging
    import warnings

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    # The exporter prints its progress and hints for its own developers.
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise InputError(f"{source} cannot be exported to ONNX: {_explain(error)}") from error


def _explain(error: BaseException) -> str:
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    text = "\n".join(str(entry) for entry in chain)
    operator = _OPERATOR.search(text) or _MISSING.search(text)
    places = [place for place in _PLACE.findall(text) if "/site-packages/torch/" not in place[0]]
    # The innermost frame is last in a Python stack trace: that is where the operator is called.
    place = f" It is called in {places[-1][0]}, line {places[-1][1]}: {places[-1][3].strip()}" if places else ""
    if operator:
        return f"the exporter has no translation for the operator '{operator.group(1)}'.{place}"
    first = next((line.strip() for line in str(chain[-1]).splitlines() if line.strip()), type(error).__name__)
    return f"{type(chain[-1]).__name__}: {first}{place}"
