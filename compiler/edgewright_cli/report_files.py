"""What `--report` asks for, found out before a measurement: a wrong ending and a missing library cost no time."""

from __future__ import annotations

from pathlib import Path

from edgewright_targets import InputError
from edgewright_targets.installed import needs


def is_page(path: str) -> bool:
    """Whether a report is a page (.html), and not Markdown (.md).

    Raises:
        InputError: It ends in something else.
        MissingDependencyError: What draws a page is not installed.
    """
    suffix = Path(path).suffix
    if suffix not in (".html", ".md"):
        raise InputError(f"'{path}': a report ends in .html or .md.")
    if suffix == ".html":
        with needs("report"):
            import jinja2  # noqa: F401 - the page's own import comes after the measurement
    return suffix == ".html"
