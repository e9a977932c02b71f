"""The report of an application as one HTML file that needs nothing else."""

from __future__ import annotations

from edgewright_benchmarks.applications.whole_result import WholeResult
from edgewright_benchmarks.report import words
from edgewright_benchmarks.report.pages import finished, template
from edgewright_benchmarks.report.spread import beyond
from edgewright_benchmarks.report.whole_charts import step_shares_svg, whole_spread_svg
from edgewright_benchmarks.report.whole_tables import whole_tables
from edgewright_benchmarks.report.whole_view import (
    check_whole,
    made_of,
    slowest_sentence,
    whole_basis,
    whole_environment,
    whole_figures,
    whole_sentence,
    whole_warnings,
)


def render_whole_html(result: WholeResult, built: WholeResult | None = None) -> str:
    """The report of an application as the text of one HTML file.

    Args:
        result: What is reported: a bench.
        built: The evidence of the build that made the package: thresholds and weights were found there.

    Raises:
        InputError: A time is not above zero, or `built` is of another application.
        MissingDependencyError: The libraries of `edgewright[report]` are not installed.
    """
    page = template("whole.html.j2")
    check_whole(result, built)
    rendered: str = page.render(
        result=result,
        rungs=words.RUNGS,
        headline=whole_sentence(result),
        made_of=made_of(result),
        slowest=slowest_sentence(result),
        warnings=whole_warnings(result),
        figures=whole_figures(result),
        basis=whole_basis(result, built),
        steps_chart=finished(step_shares_svg(result, "steps")),
        spread_chart=finished(whole_spread_svg(result, "spread")),
        beyond=beyond([result.latency]),
        tables=whole_tables(result, built),
        environment=whole_environment(result),
    )
    return rendered
