"""Which package a request means."""

from __future__ import annotations

from collections.abc import Callable

from edgewright_serving.packages.served import Served
from edgewright_serving.requests.refusals import RefusalError
from edgewright_serving.service import Service
from edgewright_targets.errors import first_few, nearest

_NAME_SHOWN = 100


def package_of(service: Service, name: object) -> Served:
    """The package of this name.

    Raises:
        RefusalError: There is none.
    """
    if not isinstance(name, str) or name not in service.packages:
        shown = name[:_NAME_SHOWN] if isinstance(name, str) else name
        raise RefusalError(404, f"There is no package {shown!r} here.", hint=nearest(str(shown), service.packages))
    return service.packages[name]


def package_for(service: Service, name: object, fits: Callable[[Served], bool], does: str) -> Served:
    """The package that a request names, or the only one that does what its address is for.

    Args:
        service: What is served.
        name: What the request says; None where it says nothing.
        fits: Whether a package does it.
        does: What it does, to follow "a package that".

    Raises:
        RefusalError: There is none, several fit, or the one that is named does something else.
    """
    fitting = [one.name for one in service.packages.values() if fits(one)]
    if name is None:
        if len(fitting) == 1:
            return service.packages[fitting[0]]
        found = f"these do: {first_few(fitting)}" if fitting else "no package here does"
        raise RefusalError(400, f"This address needs a package that {does}; {found}.", hint="Name it with 'model'.")
    served = package_of(service, name)
    if not fits(served):
        raise RefusalError(
            400,
            f"'{served.name}' ({served.task}) is not a package that {does}.",
            hint=f"These are: {first_few(fitting)}." if fitting else f"Ask it at /predict/{served.name}.",
        )
    return served
