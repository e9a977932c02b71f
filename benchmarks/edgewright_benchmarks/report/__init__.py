"""The report: a page for people (HTML) and a table for a pull request (Markdown), from the same result.

>>> from edgewright_benchmarks.report import render_html
>>> from edgewright_benchmarks.result_files import read_result
>>> page = render_html(read_result("bench.json"), read_result("build.json"))          # doctest: +SKIP

That of an application is made by `whole_html.render_whole_html` and `whole_markdown.render_whole_markdown`.
"""

from edgewright_benchmarks.report.html import render_html
from edgewright_benchmarks.report.markdown import render_markdown

__all__ = ["render_html", "render_markdown"]
