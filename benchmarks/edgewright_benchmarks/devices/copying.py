"""Copies parts to a device: what is there whole is left, what was cut off goes on, and digests are compared there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgewright_benchmarks.devices.fit import check_disk
from edgewright_benchmarks.devices.parts import Part
from edgewright_benchmarks.devices.responses import Checked, Copied
from edgewright_benchmarks.devices.session import FarEndSession
from edgewright_benchmarks.progress import Bar, Progress
from edgewright_runtime import DamagedPackageError
from edgewright_runtime.responses import Done
from edgewright_targets.errors import first_few

# Seconds that a copy may take: a slow card and a slow link, and then some.
_COPY_SECONDS = 600.0
_SLOWEST_BYTES_A_SECOND = 20_000


def copy_parts(session: FarEndSession, parts: Sequence[Part], folder: str, device: str, progress: Progress) -> None:
    """Copy what of `parts` is not whole yet.

    Args:
        session: The connection.
        parts: What has to be there.
        folder: The work folder there, for messages.
        device: Its name for messages.
        progress: Told how far it is, in bytes.

    Raises:
        ConnectionLostError: The connection ended; a second call goes on where it did.
        InputError: Too little room there, or its disk refused.
        DamagedPackageError: A file does not have the digest that the package lists for it.
    """
    states = [_state(session, part) for part in parts]
    waiting = [(part, state.have) for part, state in zip(parts, states, strict=True) if not state.whole]
    if not waiting:
        return
    room = sum(part.room - sum(have.values()) for part, have in waiting)
    check_disk(room, min(state.free_bytes for state in states), folder, device)
    total = sum(part.size - sum(have.values()) for part, have in waiting)
    progress.note(f"Copying {total / 1e6:,.1f} MB to {device} ...")
    bar = progress.bar(f"copying to {device}", total)
    for part, have in waiting:
        if _copy_part(session, part, have, bar):
            # What was there from a copy that was cut off may have been wrong: these files are sent once more.
            wrong = _copy_part(session, part, _state(session, part).have, bar)
            if wrong:
                raise DamagedPackageError(
                    f"These files do not match their digests after copying: {first_few(wrong)}.",
                    hint="Check the package with 'edgewright verify'. If it is damaged, build it again.",
                )
    bar.close()


def _state(session: FarEndSession, part: Part) -> Copied:
    """What of a part is there; a device that names other files, or more bytes than they have, is refused."""
    state = session.ask(Copied, {"op": "have", **part.listing()})
    sizes = {path: file.size for path, file in part.files.items()}
    if not state.whole and state.have.keys() != sizes.keys():
        raise session.garbled("have", "its files are not those that were asked for")
    if any(not 0 <= state.have[path] <= sizes[path] for path in state.have.keys() & sizes.keys()):
        raise session.garbled("have", "a file there has more bytes than here")
    return state


def _copy_part(session: FarEndSession, part: Part, have: dict[str, int], bar: Bar) -> Sequence[str]:
    """Send what is missing; gives the files whose digest is wrong."""
    for path, file in part.files.items():
        left = file.size - have[path]
        if left or not file.size:
            request = {"op": "put", "name": part.name, "path": path, "offset": have[path], "bytes": left}
            timeout = _COPY_SECONDS + left / _SLOWEST_BYTES_A_SECOND
            session.ask(Done, request, _counted(file.blocks(have[path]), bar), timeout=timeout)
    return session.ask(Checked, {"op": "finish", **part.listing()}).wrong


def _counted(blocks: Iterator[bytes], bar: Bar) -> Iterator[bytes]:
    for block in blocks:
        yield block
        bar.update(len(block))
