"""Target files, written from what is particular to them."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

Setting = str | bool | int | Sequence[str] | Mapping[str, str]


def recipe_text(name: str, **settings: Setting) -> str:
    """The table of a recipe."""
    return f"\n[recipe.{name}]\n{_lines(settings)}"


def candidate_text(
    name: str, recipe: str, precision: str = "", provider: str = "CPUExecutionProvider", **settings: Setting
) -> str:
    """The table of a candidate; its precision is called as its recipe is, unless it is given."""
    named = {"name": name, "provider": provider, "precision": precision or recipe, "recipe": recipe}
    return f"\n[[candidate]]\n{_lines(named | settings)}"


def target_text(*tables: str, **settings: Setting) -> str:
    """A target of these tables for this machine's architecture; `settings` replaces or adds keys at its top."""
    top: dict[str, Setting] = {
        "title": "This machine, with little to try",
        "architecture": platform.machine(),
        "rung": "measured",
        "baseline": "cpu-fp32",
    }
    return _lines(top | settings) + "".join(tables)


def write_target(path: Path, *tables: str, **settings: Setting) -> Path:
    """A target file with the float baseline and one int8 candidate, the least there is to choose, and these tables."""
    least = (
        recipe_text("fp32", method="float"),
        recipe_text("int8", method="static"),
        candidate_text("cpu-fp32", "fp32"),
        candidate_text("cpu-int8", "int8"),
    )
    path.write_text(target_text(*least, *tables, **settings), encoding="utf-8")
    return path


def _lines(settings: Mapping[str, Setting]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in settings.items())


def _value(value: Setting) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {json.dumps(word)}" for key, word in value.items()) + " }"
    return json.dumps(value)
