"""Packages of Debian, also of an architecture this machine is not, fetched and unpacked beside the system.

Nothing of the system changes and no right is needed: apt gets a configuration of our own with its own folders; the
sources and keys are the system's, so apt checks signatures as ever.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgewright_benchmarks.progress import Progress
from edgewright_compiler.emulators.tools import run_tool
from edgewright_targets import EdgewrightError

_ETC = Path("/etc/apt")
# What would act on the whole system after an update (images of containers empty apt's caches there).
_HOOKS = ("APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success")
_SIZE = re.compile(r"^'[^']*' (\S+) (\d+)", re.MULTILINE)
_DEPENDS = ("--recurse", "--important", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances")


def missing() -> str | None:
    """Why packages cannot be had here, as a sentence with what to install; None if they can."""
    tools = [tool for tool in ("apt-get", "apt-cache", "dpkg") if shutil.which(tool) is None]
    if tools:
        return f"The emulator needs Debian or a derived system: {' or '.join(tools)} is not on the PATH."
    if not _source_files():
        return f"apt has no sources: '{_ETC}' lists none."
    return None


def codename() -> str:
    """The release of this system, such as `bookworm`; empty where it has none."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', text, re.MULTILINE)
    return found.group(1) if found else ""


@dataclass(frozen=True)
class Packages:
    """What an update found; `fetch` gets packages from it.

    Attributes:
        folder: Everything of ours is in it.
        configuration: apt's configuration file there.
    """

    folder: Path
    configuration: Path

    @staticmethod
    def update(folder: Path, architecture: str | None = None, sources: str | None = None) -> Packages:
        """Read what the system's sources have.

        Args:
            folder: Empty; apt's state goes there.
            architecture: Debian's name of it; None is this machine's.
            sources: Sources in the one-stanza-a-source format instead of the system's.
        """
        folder = folder.absolute()
        for name in ("lists/partial", "cache/archives/partial", "debs"):
            (folder / name).mkdir(parents=True)
        # Nothing is installed in the other system, and what is installed here must not count.
        (folder / "status").touch()
        options = {
            "Dir::State": folder,
            "Dir::State::lists": folder / "lists",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            # The cache folder belongs to who runs this; apt's own user may not write there.
            "APT::Sandbox::User": "root",
            "APT::Install-Recommends": "false",
        }
        if architecture is not None:
            options |= {"APT::Architecture": architecture, "APT::Architectures": architecture}
        if sources is not None:
            (folder / "one.sources").write_text(sources, encoding="utf-8")
            options |= {"Dir::Etc::sourcelist": folder / "one.sources", "Dir::Etc::sourceparts": "/dev/null"}
        lines = [f"#clear {hook};" for hook in _HOOKS] + [f'{key} "{value}";' for key, value in options.items()]
        configuration = folder / "apt.conf"
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        made = Packages(folder, configuration)
        made._apt("apt-get", "update", purpose="Reading Debian's lists of packages")
        return made

    def needed(self, roots: Sequence[str]) -> list[str]:
        """These packages and all they depend on, sorted."""
        listing = self._apt("apt-cache", "depends", *_DEPENDS, *roots, purpose="Reading dependencies")
        names = (line.partition(":")[0].strip() for line in listing.splitlines() if line[:1].isalnum())
        return sorted(set(names))

    def depends(self, name: str) -> list[str]:
        """What one package directly depends on."""
        listing = self._apt("apt-cache", "depends", "--important", name, purpose=f"Looking up {name}")
        return re.findall(r"^\s*\|?(?:Pre)?Depends: ([a-z0-9][a-z0-9+.-]*)", listing, re.MULTILINE)

    def major_version(self, name: str) -> int:
        """The first number of a package's version, without its epoch; 0 where there is no such package."""
        shown = self._apt("apt-cache", "policy", name, purpose=f"Looking up {name}")
        found = re.search(r"^\s*Candidate: (?:\d+:)?(\d+)", shown, re.MULTILINE)
        return int(found.group(1)) if found else 0

    def fetch(self, names: Sequence[str], destination: Path, progress: Progress) -> list[str]:
        """Unpack these packages into `destination`; gives their file names, which have the versions."""
        debs = self.folder / "debs"
        listing = self._apt("apt-get", "download", "--print-uris", *names, purpose="Looking up packages")
        sizes = _SIZE.findall(listing)
        if len(sizes) != len(names):
            raise EdgewrightError(f"Debian has {len(sizes)} of the packages {', '.join(names)}.")
        bar = progress.bar("fetching packages (bytes)", sum(int(size) for _, size in sizes))
        try:
            for name in names:
                before = set(debs.iterdir())
                self._apt("apt-get", "download", name, purpose=f"Fetching {name}", folder=debs)
                (made,) = set(debs.iterdir()) - before
                run_tool(("dpkg", "-x", made, destination), f"Unpacking {name}")
                bar.update(made.stat().st_size)
        finally:
            bar.close()
        return sorted(file for file, _ in sizes)

    def _apt(self, tool: str, *arguments: str, purpose: str, folder: Path | None = None) -> str:
        command: list[str | Path] = [tool, "-q", "-c", self.configuration, *arguments]
        hint = f"Check the network and the sources in '{_ETC}'; they must have packages of that architecture."
        return run_tool(command, purpose, folder=folder, hint=hint)


def backports() -> str | None:
    """The system's own source of its release, written again for its backports; None where there is no such source."""
    release = codename()
    if not release:
        return None
    for path in _source_files():
        try:
            text = path.read_text(encoding="utf-8")
        except OSError:
            continue
        stanzas = re.split(r"\n\s*\n", text) if path.suffix == ".sources" else _one_line_sources(text)
        for stanza in stanzas:
            suites = re.search(r"^Suites:(.*)$", stanza, re.MULTILINE)
            types = re.search(r"^Types:(.*)$", stanza, re.MULTILINE)
            off = re.search(r"^Enabled:\s*no\b", stanza, re.MULTILINE)
            if suites and types and not off and release in suites.group(1).split() and "deb" in types.group(1).split():
                lines = (line for line in stanza.splitlines() if not line.startswith(("#", "Suites:", "Types:")))
                return "\n".join(("Types: deb", f"Suites: {release}-backports", *lines)) + "\n"
    return None


def _source_files() -> list[Path]:
    parts = _ETC / "sources.list.d"
    files = [_ETC / "sources.list", *sorted(parts.glob("*.sources")), *sorted(parts.glob("*.list"))]
    return [path for path in files if path.is_file()]


def _one_line_sources(text: str) -> list[str]:
    """Sources of the form `deb [option=value] URI suite component...` as stanzas."""
    found = re.findall(r"^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+?)\s*$", text, re.MULTILINE)
    stanzas = []
    for options, uri, suite, components in found:
        signed = re.search(r"signed-by=(\S+)", options)
        stanza = f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: {components}"
        stanzas.append(f"{stanza}\nSigned-By: {signed.group(1)}" if signed else stanza)
    return stanzas
