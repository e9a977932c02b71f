"""Words of others inside of Markdown."""

from __future__ import annotations

import re


def as_text(text: str) -> str:
    """`text` as plain words: it starts no markup, no HTML, no table cell, no line and calls nobody's name."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # An underscore inside a word is not markup, and a name is easier to read without the backslash.
    text = re.sub(r"([\\`*{}\[\]|~$#]|(?<!\w)_|_(?!\w))", r"\\\1", text)
    return text.replace("@", "@\u200b")


def as_code(name: str) -> str:
    """`name` as a code span that no character in it can end. Inside one only the mark of a table cell is escaped.

    >>> from edgewright_benchmarks.markdown_text import as_code
    >>> as_code("size > +1%"), as_code("a`b")
    ('`size > +1%`', '`` a`b ``')
    """
    name = " ".join(name.split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", name)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{name}{pad}{fence}"
