"""From a matplotlib figure to an inline SVG that takes its colours and its font from the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from edgewright_targets import MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Stand-ins: matplotlib wants colours, the page has variables that differ in light and dark. No two of them, and
# nothing else that matplotlib draws, share a value.
INK: Final = "#010203"
SOFT: Final = "#040506"
LINE: Final = "#070809"
ACCENT: Final = "#0a0b0c"
BAD: Final = "#0d0e0f"
PAPER: Final = "#101112"
_VARIABLES: Final = {INK: "--ink", SOFT: "--soft", LINE: "--line", ACCENT: "--accent", BAD: "--bad", PAPER: "--paper"}

# In units of the drawing, which a phone of 360 px shows at about 0.96 CSS px.
WIDTH: Final = 340
TEXT: Final = 10

# Times that differ by more than this factor cannot be told apart on a linear axis.
_LINEAR_RANGE: Final = 8

_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",  # comes with matplotlib, and is wide: what fits with it fits with the page's font
    "font.size": TEXT,
    "text.color": INK,
    "text.parse_math": False,  # a name may hold a dollar sign
    "axes.edgecolor": LINE,
    "axes.facecolor": "none",
    "axes.labelcolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "figure.dpi": 72,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": LINE,
    "xtick.labelcolor": SOFT,
    "ytick.color": LINE,
    "ytick.labelcolor": SOFT,
}


@contextmanager
def drawing(height: float, name: str) -> Iterator[Figure]:
    """An empty figure of the report's width; what is drawn and saved inside the block has the report's style.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "The charts of a report need matplotlib, which is not installed.", hint="pip install 'edgewright[report]'"
        ) from error
    with mpl.rc_context():
        # Not what the user's matplotlibrc says: the same result gives the same bytes everywhere.
        mpl.rcdefaults()
        mpl.rcParams.update({**_STYLE, "svg.hashsalt": name})
        figure = Figure(figsize=(WIDTH / 72, height / 72))
        FigureCanvasSVG(figure)
        yield figure


def time_limits(milliseconds: Sequence[float]) -> tuple[float, float]:
    """Where an axis that shows these times begins and ends; it begins at zero unless it must be logarithmic."""
    low, high = min(milliseconds), max(milliseconds)
    return (low / 1.5, high * 1.3) if high > _LINEAR_RANGE * low else (0.0, high * 1.12)


def time_axis(axes: Axes, milliseconds: Sequence[float], label: str) -> None:
    """Give `axes` an x axis called `label` on which all these times can be told apart."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    low, high = time_limits(milliseconds)
    if low > 0:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.set_xlim(low, high)
    axes.set_xlabel(f"{label}, ms{', logarithmic' if low > 0 else ''}")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(visible=True)
    axes.set_axisbelow(True)


def svg_from_figure(figure: Figure, name: str, title: str, description: str) -> str:
    """The figure as an SVG element for HTML: `name` prefixes its ids, `title` and `description` are read aloud."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = file.getvalue()
    view_box = re.search(r'viewBox="([^"]+)"', text)
    body = re.search(r"<svg[^>]*>(.*)</svg>", text, re.DOTALL)
    assert view_box is not None, "matplotlib writes a viewBox"
    assert body is not None, "matplotlib writes one svg element"
    inner = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body[1], flags=re.DOTALL)
    inner = re.sub(r"<[^>]+>", lambda tag: _page_tag(tag[0], name), inner)
    return (
        f'<svg role="img" viewBox="{view_box[1]}" aria-labelledby="{name}-title {name}-description">'
        f'<title id="{name}-title">{_escaped(title)}</title>'
        f'<desc id="{name}-description">{_escaped(description)}</desc>'
        f"{inner}</svg>"
    )


def _page_tag(tag: str, name: str) -> str:
    """A tag as the page needs it; texts between tags (names of engines) stay as they are."""
    # Two drawings in one page must not share ids.
    tag = re.sub(r'\bid="', f'id="{name}-', tag)
    tag = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', tag)
    tag = tag.replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        tag = tag.replace(colour, f"var({variable})")
    # The family comes from the page. Older versions of matplotlib write the short form.
    tag = re.sub(r"\bfont: [^;\"]*?([\d.]+px)[^;\"]*", r"font-size: \1", tag)
    return re.sub(r"font-family: [^;\"]*;? ?", "", tag)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
