"""Where a case happens: a folder of its own, and beside it files that nothing may read, write or remove."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

# Changes the title of a terminal. Libraries colour their own warnings; this comes from nowhere but a hostile string.
ESCAPE = "\x1b]0;title\x07"
_CANARIES = {
    "secret.txt": "a secret of the user\n",
    "profile.sh": "# a file that a shell reads\n",
    "weights.bin": "0123456789abcdef" * 64,
    "inside/config.json": "{}\n",
}


@dataclass(frozen=True)
class Room:
    """Folders of one case.

    Attributes:
        base: Holds both folders, and nothing else.
    """

    base: Path

    @property
    def folder(self) -> Path:
        """What the case may write: its home, cache, temporary folder, and the mutated input."""
        return self.base / "case"

    @property
    def canary(self) -> Path:
        """What it must leave alone, and not look into."""
        return self.base / "canary"

    def hostile_strings(self) -> tuple[str, ...]:
        """Values that lead out of the case, or are not a value at all."""
        return (
            str(self.canary / "secret.txt"), str(self.canary / "profile.sh"), str(self.canary), "../canary/secret.txt",
            "../../canary/weights.bin", "../../../canary", "/dev/zero", "/proc/self/mem", "/", "..", ".", "", "\0",
            "a" * 300, "a" * 70_000, f"{ESCAPE}\x1b[31m", "\u202e\u0000\ud7ff", "sha256:" + "0" * 64,
            f"sha256:{'0' * 64}/../../canary", "-1", "1e400", "9" * 5000, "%s%n{0}", "$(touch pwned)", "a\nb\r",
        )  # fmt: skip

    def prepare(self) -> None:
        """Empty the case's folder and set the canaries up; times are such that a read shows."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("home", "cache", "tmp"):
            (self.folder / name).mkdir(parents=True)
        for name, text in _CANARIES.items():
            path = self.canary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            # A read sets the time of access where it is older than the time of change (mount option relatime).
            os.utime(path, (0, 1))

    def disturbed(self) -> list[str]:
        """What is not as `prepare` left it outside the case's folder."""
        found = [f"made {path.name}" for path in self.base.iterdir() if path not in (self.folder, self.canary)]
        there = {str(path.relative_to(self.canary)): path for path in self.canary.rglob("*") if not path.is_dir()}
        found += [f"made canary/{name}" for name in there.keys() - _CANARIES.keys()]
        for name, text in _CANARIES.items():
            path = self.canary / name
            try:
                read = path.stat().st_atime != 0
                changed = hashlib.sha256(path.read_bytes()).digest() != hashlib.sha256(text.encode()).digest()
            except OSError as error:
                found.append(f"removed canary/{name} ({error.strerror})")
                continue
            found += [f"wrote canary/{name}"] * changed + [f"read canary/{name}"] * read
        return found
