"""Code of the user's own, named as `package.module:function`: found, called, and what goes wrong in it in plain words.

It runs at a build and at a bench, where the user names it. Nothing of it is stored in a package.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from edgewright_targets import EdgewrightError, InputError, nearest
from edgewright_targets.errors import first_line

# Frames that are not the user's: libraries, Python's own, and these packages.
_PACKAGES = re.compile(
    r"[/\\\\](?:site|dist)-packages[/\\\\]|[/\\\\]lib[/\\\\]python3|edgewright_(?:compiler|benchmarks)[/\\\\]|^<"
)


@dataclass(frozen=True)
class OwnFunction:
    """A function of the user's.

    Attributes:
        name: As it was named, `package.module:function`.
        digest: SHA-256 of the module that it is in and of those beside that, which it uses, in hexadecimal.
        call: The function itself.
    """

    name: str
    digest: str
    call: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns.

        Raises:
            InputError: It raised; says what, and where in the user's code.
        """
        with own_failures(f"'{self.name}'"):
            return self.call(*arguments)


def own_function(spec: str, option: str) -> OwnFunction:
    """The function that `spec` names.

    Args:
        spec: `package.module:function`.
        option: That named it, for messages.

    Raises:
        InputError: It is not such a name, or there is no such function.
    """
    module, colon, function = spec.partition(":")
    if not (module and colon and function):
        raise InputError(
            f"{option} is '{spec}', which does not name a function.",
            hint="Write package.module:function, for example my_metrics:score of a file my_metrics.py here.",
        )
    code = own_module(module, spec)
    return OwnFunction(spec, _digest(code), function_of(code, function, spec))


def own_module(module: str, spec: str) -> ModuleType:
    """The user's module, imported; `spec` is the whole name for messages.

    Raises:
        InputError: There is no such module, or it fails.
    """
    # The user's project is where the command is run, as with `python -m`.
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    with own_failures(f"'{spec}': importing '{module}'"):
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            # A library that the module itself imports is another matter than the module.
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise
            raise InputError(
                f"'{spec}': there is no module '{error.name}'.",
                hint=f"Modules are searched in '{Path.cwd()}', in PYTHONPATH and among installed packages.",
            ) from error
        except (TypeError, ValueError) as error:
            raise InputError(f"'{spec}': '{module}' is not a module name.") from error


def function_of(code: ModuleType, function: str, spec: str) -> Callable[..., Any]:
    """The function of that name in a module.

    Raises:
        InputError: There is no such function.
    """
    found = getattr(code, function, None)
    if callable(found):
        return found  # type: ignore[no-any-return]
    public = [name for name, value in vars(code).items() if inspect.isfunction(value) and name[0] != "_"]
    problem = "is not a function" if hasattr(code, function) else "does not exist"
    raise InputError(f"'{spec}': '{function}' {problem} in '{code.__name__}'.", hint=nearest(function, public))


@contextmanager
def own_failures(what: str) -> Iterator[None]:
    """Turn a failure of the user's own code into an error with its place in that code."""
    try:
        yield
    except EdgewrightError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if not _PACKAGES.search(frame.filename) and frame.filename != __file__]
        place = f" It failed in {own[-1].filename}, line {own[-1].lineno}: {own[-1].line}" if own else ""
        if isinstance(error, SyntaxError) and error.filename:
            place = f" It failed in {error.filename}, line {error.lineno}: {(error.text or '').strip()}"
        raise InputError(f"{what} failed: {type(error).__name__}: {first_line(error)}.{place}") from error


def file_of(module: str) -> Path | None:
    """The file of a module that was imported; None where it has none."""
    path = getattr(sys.modules.get(module), "__file__", None)
    return Path(path) if path else None


def _digest(code: ModuleType) -> str:
    """Of the module and of those that it uses in its own project: a helper decides as much as the function."""
    root = file_of(code.__name__.partition(".")[0])
    digest = hashlib.sha256()
    for name in sorted(_used(code.__name__, root.parent if root else None, set())):
        path = file_of(name)
        if path is not None:
            digest.update(f"{name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _used(name: str, folder: Path | None, found: set[str]) -> set[str]:
    found.add(name)
    for value in vars(sys.modules[name]).values():
        other = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        path = file_of(other) if isinstance(other, str) else None
        if path is None or folder is None or other in found or "site-packages" in path.parts:
            continue
        if path.suffix == ".py" and path.is_relative_to(folder):
            _used(str(other), folder, found)
    return found
