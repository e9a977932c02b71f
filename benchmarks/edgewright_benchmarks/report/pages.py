"""Templates of pages that need nothing else: no script, no font, no image, no network."""

from __future__ import annotations

from typing import Any

from edgewright_targets import MissingDependencyError


def template(name: str) -> Any:
    """A template of this folder; what it is given is escaped.

    Raises:
        MissingDependencyError: The libraries of `edgewright[report]` are not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise MissingDependencyError(
            "A report in HTML needs Jinja2, which is not installed.", hint="pip install 'edgewright[report]'"
        ) from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("edgewright_benchmarks", "report"),
        autoescape=True,  # names and reasons come from files of others
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def finished(text: str) -> Any:
    """What was made here from escaped text, a drawing: it goes into a page as it is."""
    import markupsafe

    return markupsafe.Markup(text)  # noqa: S704 - see above
