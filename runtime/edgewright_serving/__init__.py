"""Packages and applications over HTTP, on the device: the calls of the runtime behind addresses that people know.

from edgewright_serving import ServeSettings, serve

serve(["intents.ortpackage", "gpt.ortpackage"], ServeSettings(port=8000))   # until SIGINT or SIGTERM
"""

from __future__ import annotations

from edgewright_serving.server import serve
from edgewright_serving.settings import ServeSettings

__all__ = ["ServeSettings", "serve"]
