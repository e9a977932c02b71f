"""What ONNX Runtime and its providers say when they fail, without their source files, signatures and codes."""

from __future__ import annotations

import re

# Not compiled before something fails: that would take a millisecond of every start.
_CODE = r"\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : "
_LOADING = r"Load model from .*? failed:\s*"
# The place of a check in its source, and the function around it with its parameters.
_PLACE = r"\S*/onnxruntime\S*/\S+:\d+ [^()]*\((?:[^()]|\([^()]*\))*\)(?: const)?\s*"


def provider_words(error: BaseException, most: int = 300) -> str:
    """The first line of an error that says something, of at most so many characters; its kind where it has no text."""
    text = str(error)
    for noise in (_CODE, _LOADING, _PLACE):
        text = re.sub(noise, "", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0][:most] if lines else type(error).__name__
