"""ONNX Runtime's own CPU provider: always there, runs every graph, the portable fallback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgewright_runtime.options import Check

ALLOWED: Mapping[str, Check] = {}


def unavailable() -> str | None:
    """None: it is part of ONNX Runtime."""
    return None


def emulator_unavailable() -> str | None:
    """It runs what this machine is; another processor is emulated around the whole process, by QEMU."""
    return "The CPU provider has no emulator."


def options(settings: Mapping[str, str], threads: int) -> dict[str, str]:  # noqa: ARG001 - the provider protocol
    """The settings as they are; threads are a session option of ONNX Runtime for this provider."""
    return dict(settings)


def configure(session_options: Any, provider_options: Mapping[str, str]) -> None:
    """Name the CPU provider, so that plugins that are installed as well are not chosen instead."""
    session_options.add_provider("CPUExecutionProvider", dict(provider_options))
