"""All settings of a build, defaults too, as its evidence has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgewright_benchmarks.result import Origin, Setting
from edgewright_compiler.building.build_options import BuildOptions
from edgewright_compiler.building.setting_kinds import SETTINGS, SettingKind

# What None means where it is the default.
_NONE = {
    "data.samples": "all",
    "meter.threads": "one for each core",
    "meter.calls": "as many as take a quarter of a second",
    "meter.beside": "none",
}
_DEFAULTS = BuildOptions(output="")


def settings_in_force(options: BuildOptions, found: Mapping[str, str]) -> tuple[Setting, ...]:
    """The settings of a build that can decide what is in its package.

    Args:
        options: As asked.
        found: Those that the source tells where nobody says them.
    """
    return tuple(_setting(name, kind, options, found) for name, kind in SETTINGS.items() if kind.recorded)


def _setting(name: str, kind: SettingKind, options: BuildOptions, found: Mapping[str, str]) -> Setting:
    value = _value(kind, options)
    origin: Origin = "default" if value == _value(kind, _DEFAULTS) else "call"
    if name in found and value is None:
        origin = "found"
    origin = options.origins.get(name, origin)
    return Setting(name, found.get(name) or _words(name, kind, value), origin)


def _value(kind: SettingKind, options: BuildOptions) -> object:
    return getattr(getattr(options, kind.part) if kind.part else options, kind.field) if kind.field else None


def _words(name: str, kind: SettingKind, value: object) -> str:
    if value in (None, "") or (value == 0 and name in _NONE):
        return _NONE.get(name, "none")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(Path(str(one)).name if kind.path else str(one) for one in value)
    if kind.path:
        return Path(str(value)).name
    return f"{100 * value:g}%" if isinstance(value, float) else str(value)
