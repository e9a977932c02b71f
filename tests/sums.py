"""A package whose sums are written anew, as somebody would who changes it on purpose."""

import hashlib
from pathlib import Path


def reseal(package: Path) -> None:
    """Write `SHA256SUMS` over the files as they are now."""
    files = sorted(path for path in package.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(package)}\n" for path in files]
    (package / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
