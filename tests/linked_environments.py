"""Environments for a matrix that no pip makes: what is installed here, by links, in an interpreter of their own."""

import venv
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from edgewright_benchmarks.matrix.environments import environment_folder
from edgewright_benchmarks.matrix.kept import interpreter, write_facts


def link_environment(
    versions: Mapping[str, str], *, without: tuple[str, ...] = (), added: Mapping[str, str] | None = None
) -> Path:
    """An environment that a matrix finds in its cache folder under these versions, whatever is linked.

    Args:
        versions: Library to the version that the environment is found by.
        without: Libraries whose files are not there.
        added: Library to code that is run behind its own `__init__`: a stand-in for another release of it.
    """
    folder = environment_folder(versions)
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    for library in versions:
        if library not in without:
            _link(library, site, (added or {}).get(library, ""))
    write_facts(folder, dict(versions))
    assert interpreter(folder).exists()
    return folder


def _link(library: str, site: Path, code: str) -> None:
    distribution = metadata.distribution(library)
    names = {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}
    for name in names:
        there = Path(str(distribution.locate_file(name)))
        if code and (there / "__init__.py").is_file():
            (site / name).mkdir()
            for child in there.iterdir():
                if child.name != "__init__.py":
                    (site / name / child.name).symlink_to(child)
            text = (there / "__init__.py").read_text(encoding="utf-8")
            (site / name / "__init__.py").write_text(f"{text}\n{code}", encoding="utf-8")
        else:
            (site / name).symlink_to(there)
