"""Models of the Hugging Face hub by their id: found in the local cache, or fetched into it where that was asked for."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.sources._source import KINDS
from edgewright_compiler.sources.hub_failures import hub_failures
from edgewright_compiler.sources.hub_files import needed_files
from edgewright_targets import InputError
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    from edgewright_benchmarks.progress import Bar, Progress

# What the hub allows in a name (`huggingface_hub.utils.validate_repo_id`), and in names of git's branches and tags.
_ID = re.compile(r"(?P<repo>\w[\w.-]{0,95}/\w[\w.-]{0,95})(@(?P<revision>[\w][\w./-]*))?", re.ASCII)


@dataclass(frozen=True)
class HubId:
    """A model of the hub.

    Attributes:
        repo: `organization/name`.
        revision: Branch, tag or commit; None is the main branch.
    """

    repo: str
    revision: str | None

    def __str__(self) -> str:
        return self.repo if self.revision is None else f"{self.repo}@{self.revision}"


@dataclass(frozen=True)
class HubFolder:
    """The files of a model in the cache.

    Attributes:
        folder: Where they lie.
        name: For people: the id and the beginning of the commit.
    """

    folder: Path
    name: str


def hub_id(spec: str) -> HubId | None:
    """The id that `spec` has the form of; None where it has another.

    >>> hub_id("someone/model@v1.0")
    HubId(repo='someone/model', revision='v1.0')
    >>> hub_id("checkpoints/a/b") is None
    True
    """
    found = _ID.fullmatch(spec)
    if found is None or spec.endswith((".onnx", ".toml", ".git")) or "--" in found["repo"] or ".." in spec:
        return None
    return HubId(found["repo"], found["revision"])


def in_cache(asked: HubId) -> HubFolder | None:
    """The model in the local cache, as far as it is there; None where nothing of it is.

    Raises:
        InputError: A download of it was interrupted.
    """
    with needs("compiler"):
        from huggingface_hub import get_cached_repo_tree, snapshot_download
        from huggingface_hub.errors import CachedRepoTreeNotFoundError, IncompleteSnapshotError, LocalEntryNotFoundError

    names: list[str] | None = None
    # Without a listing it was fetched file by file, as transformers does: nobody knows what else there is. What is not
    # fetched here, another tool may have fetched.
    with suppress(CachedRepoTreeNotFoundError, InputError):
        names = needed_files(
            str(asked), [entry.path for entry in get_cached_repo_tree(asked.repo, revision=asked.revision)]
        )
    try:
        folder = snapshot_download(
            asked.repo, revision=asked.revision, local_files_only=True, allow_patterns=names or ["config.json"]
        )
    except IncompleteSnapshotError as error:
        raise InputError(
            f"The download of '{asked}' is not complete.", hint=f"It goes on with: {_command(asked)}"
        ) from error
    except LocalEntryNotFoundError:
        return None
    return _found(asked, folder)


def fetched(asked: HubId, progress: Progress) -> HubFolder:
    """The model, fetched into the local cache: weights as safetensors or ONNX, configuration and processor, no more.

    What an interrupted download left is gone on with.

    Raises:
        InputError: It is not there, may not be read, holds no such files, or the connection broke.
    """
    with needs("compiler"):
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    with hub_failures(asked.repo, asked.revision):
        about = HfApi().model_info(asked.repo, revision=asked.revision, files_metadata=True)
        sizes = {one.rfilename: one.size or 0 for one in about.siblings or ()}
        names = needed_files(str(asked), list(sizes))
        total = sum(sizes[name] for name in names)
        progress.note(f"Fetching '{asked}' from the Hugging Face hub: {len(names)} files, {total / 1e6:,.1f} MB.")
        bar = progress.bar("bytes", total)
        try:
            # One file after another: where one of several connections breaks, the library closes all, and what it says
            # is of another file.
            folder = snapshot_download(
                asked.repo,
                revision=asked.revision,
                allow_patterns=names,
                tqdm_class=_forwarding(bar),
                max_workers=1,
            )
        finally:
            bar.close()
    return _found(asked, folder)


def _forwarding(bar: Bar) -> type[Any]:
    """A class of bars as the hub's library makes them: the one that counts bytes on the disk moves `bar`."""
    from tqdm.auto import tqdm

    class Forwarding(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            # Three are made; of another wording the bar stands still, and the download goes on.
            self._tells = str(settings.get("desc", "")).startswith("Reconstructing")
            super().__init__(*arguments, **{**settings, "disable": True})

        def update(self, n: float | None = 1) -> None:
            if self._tells and n:
                bar.update(int(n))

    return Forwarding


def missing(asked: HubId) -> InputError:
    """That nothing has this name, here or in the cache."""
    with needs("compiler"):
        from huggingface_hub import constants

    return InputError(
        f"The source '{asked}' does not exist: there is no such file or folder, and no model of the Hugging Face hub "
        f"with this id in the local cache ('{constants.HF_HUB_CACHE}').",
        hint=f"Fetch it from the hub with: {_command(asked)}. Otherwise a source is {KINDS}.",
    )


def _command(asked: HubId) -> str:
    return f"edgewright build {shlex.quote(str(asked))} --fetch ..."


def _found(asked: HubId, folder: str) -> HubFolder:
    path = Path(folder)
    return HubFolder(path, f"{asked.repo}@{path.name[:12]}")
