"""Disks that are full or read-only: a sentence, no half of anything, and the same command works once there is room."""

import subprocess
from pathlib import Path

import pytest

from command import PROGRAM, QUICK, Outcome, environment, run_apart

pytestmark = pytest.mark.slow

# Mounts $1 with the options $2 in a name space of its own, runs the rest, and lists what is on the mount afterwards.
_MOUNTED = """
mount -t tmpfs -o "$2" tmpfs "$1" || exit 99
place=$1 list=$3 ready=$4
shift 4
[ -z "$ready" ] || { mkdir -p "$place/$ready" && mount -o remount,ro "$place"; } || exit 99
"$@"
code=$?
find "$place" -mindepth 1 > "$list"
exit $code
"""


class Disk:
    """A small disk at `place` that only the command sees; `left` is what was on it afterwards."""

    def __init__(self, unshare: tuple[str, ...], folder: Path) -> None:
        self._unshare = unshare
        self._list = folder / "left.txt"
        self.place = folder / "disk"
        self.place.mkdir()
        self.cache = folder / "cache"
        self.output = folder / "made" / "p.ortpackage"
        self.output.parent.mkdir()

    def build(self, sources: Path, *arguments: object, options: str, ready: str = "") -> Outcome:
        """Build the perceptron with the disk mounted; read-only, with the folder `ready` on it, if there is one."""
        mount = (*self._unshare, "sh", "-c", _MOUNTED, "sh", self.place, options, self._list, ready)
        source = ("build", sources / "perceptron.onnx", "--calibration", sources / "inputs.npz")
        fixed = ("--target", sources / "tiny.toml", "-q", *QUICK)
        outcome = run_apart(*source, *fixed, *arguments, cache=self.cache, program=[*map(str, mount), *PROGRAM])
        assert outcome.code != 99, outcome.err
        return outcome

    @property
    def left(self) -> list[str]:
        return [str(Path(line).relative_to(self.place)) for line in self._list.read_text().splitlines()]


@pytest.fixture
def disk(own_mounts: tuple[str, ...], tmp_path: Path) -> Disk:
    return Disk(own_mounts, tmp_path)


# Kilobytes of the disk: they end at the export, in the check, while quantizing, while measuring.
@pytest.mark.parametrize("size", [4, 12, 20, 28, 36, 40])
def test_a_full_disk_under_the_cache(disk: Disk, sources: Path, size: int) -> None:
    disk.cache = disk.place
    outcome = disk.build(sources, "-o", disk.output, options=f"size={size}k")
    # What the library that was writing says follows; ONNX Runtime names its file and not the reason.
    outcome.check_refusal(["Writing failed: ", f"Nothing was changed at '{disk.output}'", "XDG_CACHE_HOME"])
    assert list(disk.output.parent.iterdir()) == []
    assert not [path for path in disk.left if path.endswith(".tmp")]


# The package needs about 30 kilobytes; its last files are written by ONNX Runtime and by us in turns.
@pytest.mark.parametrize("size", [4, 8, 12, 16, 20, 24])
def test_a_full_disk_under_the_output(disk: Disk, sources: Path, shared_cache: Path, size: int) -> None:
    disk.cache = shared_cache
    output = disk.place / "p.ortpackage"
    outcome = disk.build(sources, "-o", output, options=f"size={size}k")
    outcome.check_refusal(["Writing failed: ", f"Nothing was changed at '{output}'"])
    assert disk.left == []


def test_a_disk_that_holds_the_package_and_not_its_archive(disk: Disk, sources: Path, shared_cache: Path) -> None:
    disk.cache = shared_cache
    output = disk.place / "p.ortpackage"
    outcome = disk.build(sources, "-o", output, "--archive", options="size=44k")
    outcome.check_refusal(
        ["Writing failed: No space left", f"The package '{output}' is complete, but its archive was not"]
    )
    assert "p.ortpackage/SHA256SUMS" in disk.left
    assert not [path for path in disk.left if path.endswith((".tmp", ".tar"))]


def test_a_read_only_output(disk: Disk, sources: Path, shared_cache: Path) -> None:
    disk.cache = shared_cache
    output = disk.place / "here" / "p.ortpackage"
    outcome = disk.build(sources, "-o", output, options="size=1m", ready="here")
    outcome.check_refusal([f"'{output}' cannot be written: Read-only file system ('{output.parent}')"])
    assert disk.left == ["here"]


def test_a_read_only_cache(disk: Disk, sources: Path) -> None:
    disk.cache = disk.place
    outcome = disk.build(sources, "-o", disk.output, options="size=1m", ready="edgewright/.aside")
    outcome.check_refusal(["Read-only file system", "XDG_CACHE_HOME"])
    assert list(disk.output.parent.iterdir()) == []


def test_a_limit_on_the_size_of_files(sources: Path, tmp_path: Path) -> None:
    """`ulimit -f` in blocks of 512 bytes, as shared machines set it."""
    output = tmp_path / "p.ortpackage"
    limited = ("sh", "-c", 'ulimit -f 2; exec "$@"', "sh", *PROGRAM)
    source = ("build", sources / "perceptron.onnx", "--calibration", sources / "inputs.npz", "-o", output)
    cache = tmp_path / "cache"
    fixed = ("--target", sources / "tiny.toml", "-q", *QUICK)
    outcome = run_apart(*source, *fixed, cache=cache, program=limited)
    outcome.check_refusal(["Writing failed: ", f"Nothing was changed at '{output}'"])
    assert not output.exists()
    again = run_apart(*source, *fixed, cache=cache)
    assert again.code == 0, again.err


def test_an_archive_and_no_room_to_unpack_it(disk: Disk, built_arrays: Path) -> None:
    """A package that cannot be unpacked is refused before the disk is filled."""
    archive = f"{built_arrays}.tar"
    mount = (*disk._unshare, "sh", "-c", _MOUNTED, "sh", str(disk.place), "size=8k", str(disk._list), "")
    done = subprocess.run([*mount, *PROGRAM, "inspect", archive], capture_output=True, env=environment(disk.place))
    Outcome(done.returncode, done.stdout.decode(), done.stderr.decode()).check_refusal(
        ["bytes unpacked", "are free", "XDG_CACHE_HOME"]
    )
    assert not [path for path in disk.left if "unpack-" in path]
