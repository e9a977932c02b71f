"""What fails on the way to the Hugging Face hub, in words for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edgewright_targets import InputError
from edgewright_targets.errors import first_line


@contextmanager
def hub_failures(repo: str, revision: str | None) -> Iterator[None]:
    """Turn what the hub and the way to it do wrong into words for people.

    Args:
        repo: `organization/name`.
        revision: As it was asked for.

    Raises:
        InputError: Whatever fails inside.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    page = f"{constants.ENDPOINT}/{repo}"
    login = "log in with 'hf auth login', or set HF_TOKEN to a token that may read it"
    try:
        yield
    except InputError:
        raise
    except GatedRepoError as error:
        raise InputError(
            f"'{repo}' is a gated model: the hub gives it only to those who accepted its terms.",
            hint=f"Accept them at {page}, then {login}. The same command goes on.",
        ) from error
    except RevisionNotFoundError as error:
        raise InputError(
            f"The hub has the model '{repo}', but no revision '{revision or 'main'}' of it.",
            hint=f"Branches, tags and commits are listed at {page}/tree/main.",
        ) from error
    except RepositoryNotFoundError as error:
        raise InputError(
            f"The hub at {constants.ENDPOINT} has no model '{repo}', or it is private.",
            hint=f"Check the spelling. If it is private, {login}.",
        ) from error
    except OfflineModeIsEnabled as error:
        raise InputError(
            f"'{repo}' cannot be fetched: HF_HUB_OFFLINE is set, which forbids it.",
            hint="Unset HF_HUB_OFFLINE, or copy the model here and build its folder.",
        ) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise InputError(
                f"The hub refuses to give '{repo}' (HTTP {status}).", hint=f"To be let in, {login}; see {page}."
            ) from error
        raise InputError(
            f"The hub at {constants.ENDPOINT} answers '{repo}' with HTTP {status}.", hint="Try again later."
        ) from error
    except Exception as error:
        # Of sockets, of TLS, of a disk that is full, of a file that has another size than was announced.
        raise InputError(
            f"'{repo}' could not be fetched whole from {constants.ENDPOINT}: {first_line(error)} "
            f"({type(error).__name__}).",
            hint="What has arrived is kept: the same command goes on where it stopped.",
        ) from error
