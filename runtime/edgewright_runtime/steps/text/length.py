"""How long a text may be for a tokenizer: its file is data of somebody else, and may make a short text long.

A normalizer replaces parts of a text by others before tokens are made. A chain of a few of them can turn one letter
into gigabytes, inside of a library that then ends the process. So the growth that a file asks for is read before
anything is encoded, and texts may be shorter by as much.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from edgewright_runtime.errors import PackageError, SampleError

# Characters of one text: some books. The most that models of today take, 10^6 tokens, is four times as many.
TEXT_LIMIT = 2**22
# A file that makes even a line of text too long is not a tokenizer of a model.
_LEAST_LIMIT = 2**10


def text_limit(tokenizer: Any, name: str) -> int:
    """Characters that a text for this `tokenizers.Tokenizer` may have.

    Args:
        tokenizer: Just read; nothing was encoded yet.
        name: What messages call its package.

    Raises:
        PackageError: Its normalizer lets a text grow beyond any use.
    """
    normalizer = tokenizer.normalizer
    growth = _growth(json.loads(normalizer.__getstate__())) if normalizer is not None else 1.0
    limit = int(TEXT_LIMIT / growth)
    if limit < _LEAST_LIMIT:
        raise PackageError(
            f"'{name}': its tokenizer's normalizer can make a text {growth:,.0f} times as long. The package is refused."
        )
    return limit


def _growth(normalizer: Any, depth: int = 0) -> float:
    """How many times as long a text may be after a normalizer, at most; normal forms of Unicode count as none."""
    if depth > 16:
        return math.inf
    kind = normalizer.get("type")
    if kind == "Sequence":
        return math.prod(_growth(one, depth + 1) for one in normalizer["normalizers"])
    if kind == "Replace":
        content, pattern = len(normalizer["content"]), normalizer["pattern"]
        # A regular expression may match nothing between any two letters.
        return max(1.0, content / max(1, len(pattern["String"])) if "String" in pattern else 1.0 + content)
    return 1.0 + len(normalizer.get("prepend", "")) / _LEAST_LIMIT if kind == "Prepend" else 1.0


def encode(tokenizer: Any, limit: int, *texts: str | Sequence[str], **options: Any) -> Any:
    """The `tokenizers.Encoding` of one text, or of two together.

    Args:
        tokenizer: A `tokenizers.Tokenizer`.
        limit: What `text_limit` says of it.
        texts: Texts that are not empty; or lists of words, of which the caller counts the characters.
        options: Those of the library.

    Raises:
        SampleError: A text is longer than the limit, or not valid Unicode.
        PackageError: The tokenizer itself fails, as where its file names a token that it does not have.
    """
    for text in texts:
        if isinstance(text, str) and len(text) > limit:
            raise SampleError(f"The text has {len(text):,} characters; the model takes at most {limit:,}.")
    try:
        return tokenizer.encode(*texts, **options)
    except TypeError as error:
        # Half characters, as which Python keeps bytes of a command line that are not UTF-8.
        raise SampleError(f"The text is not valid Unicode: {texts[0][:200]!r}.") from error
    except BaseException as error:
        if is_of_tokenizers(error):
            raise PackageError(f"The tokenizer of the package fails: {str(error)[:200]}.") from error
        raise


def is_of_tokenizers(error: BaseException) -> bool:
    """Whether the library itself raised this, as where a file names a token that it does not have."""
    # The library raises a bare Exception, and where it panics a BaseException of pyo3, which is not importable.
    return type(error) is Exception or type(error).__name__ == "PanicException"
