"""The rules of a build file that hold its package in later comparisons. Nothing else of the file has to be there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgewright_benchmarks.gate.rules import check_rules
from edgewright_compiler.build_files.form import BuildFile, ModelFile
from edgewright_targets import InputError
from edgewright_targets.declared import declared_text, read_declared
from edgewright_targets.findings import CollectedInputError, Findings
from edgewright_targets.toml_lines import line_of


@dataclass(frozen=True)
class FiledRules:
    """Rules of a build file.

    Attributes:
        text: As `compare --fail-on` takes them.
        place: Where they stand, `edgewright.toml:14`.
    """

    text: str
    place: str


def read_rules(path: Path, only: str | None = None) -> FiledRules | None:
    """The rules `gates.fail_on` of a build file; None where it has none.

    Data and sources that the file names are not looked for: a job that compares does not need them.

    Args:
        path: The build file.
        only: Of several models this one. Without it they must have the same rules.

    Raises:
        InputError: The file cannot be read, a rule is wrong, or it is open which model's rules are meant.
    """
    text = declared_text(path, "build file")
    file = read_declared(BuildFile, "build", text, str(path))
    if only is not None and only not in file.model:
        names = ", ".join(file.model)
        raise InputError(
            f"'{path}' describes no model '{only}'.", hint=f"It has {names}." if names else "It describes one build."
        )
    common = _rules_of(file, (), path, text)
    by_model = {name: _rules_of(model, ("model", name), path, text) or common for name, model in file.model.items()}
    if only is not None:
        return _checked(by_model[only])
    found = set(by_model.values()) or {common}
    if len({rules and rules.text for rules in found}) > 1:
        raise InputError(
            f"'{path}' has other rules for each of several models.",
            hint=f"Name one of them with --only NAME: {', '.join(by_model)}. Or pass rules with --fail-on.",
        )
    return _checked(next(iter(by_model.values()), common))


def _rules_of(model: ModelFile, keys: tuple[str, ...], path: Path, text: str) -> FiledRules | None:
    if model.gates.fail_on is None:
        return None
    line = line_of(text, (*keys, "gates", "fail_on"))
    return FiledRules(model.gates.fail_on, str(path) if line is None else f"{path}:{line}")


def _checked(rules: FiledRules | None) -> FiledRules | None:
    if rules is not None:
        findings = Findings()
        try:
            check_rules(rules.text)
        except InputError as error:
            for one in error.errors if isinstance(error, CollectedInputError) else (error,):
                findings.add(InputError(f"{rules.place}: gates.fail_on: {one.message}", hint=one.hint))
        findings.raise_any()
    return rules
