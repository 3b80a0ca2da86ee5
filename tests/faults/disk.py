"""A disk of our own: ext4 on a loop image, whose power can be cut and whose space can run out.

The cut is ext4's own shutdown ioctl without a flush of its log: whatever was not yet forced out is gone, as it would
be when the machine loses its power. It needs root, a loop device and mkfs.ext4; `missing` says what is not there.
"""

import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

_SHUTDOWN: Final = 0x8004587D
"""EXT4_IOC_SHUTDOWN."""
_WITHOUT_LOG: Final = 2
"""EXT4_GOING_FLAGS_NOLOGFLUSH."""


class Disk:
    """A mounted disk."""

    def __init__(self, image: Path, folder: Path) -> None:
        self._image = image
        self.folder = folder
        """Where its files are."""

    def mount(self) -> None:
        """Switch it on; OSError in words when that is not possible here."""
        _call("mount", "-o", "loop", str(self._image), str(self.folder))

    def allow(self, mode: Literal["ro", "rw"]) -> None:
        """Let it be only read, or written too."""
        _call("mount", "-o", f"remount,{mode}", str(self.folder))

    def cut_power(self) -> None:
        """Lose whatever was not forced out; nothing can be read or written until it is switched off and on."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _WITHOUT_LOG))
        finally:
            os.close(handle)

    def unmount(self) -> None:
        """Switch it off; nobody may have a file open on it."""
        _call("umount", str(self.folder))


@contextmanager
def disk(*, megabytes: int = 64) -> Generator[Disk]:
    """Make a new disk and switch it on; OSError in words when that is not possible here."""
    with tempfile.TemporaryDirectory(prefix="agentorch-disk-") as name:
        image, folder = Path(name) / "image", Path(name) / "mounted"
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(megabytes << 20)
        _call("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
        made = Disk(image, folder)
        made.mount()
        try:
            yield made
        finally:
            made.unmount()


def missing() -> str | None:
    """Return what such a disk needs and is not there; None when everything is."""
    if os.geteuid() != 0:
        return "only root may mount a disk"
    lacking = [program for program in ("mkfs.ext4", "mount", "umount") if shutil.which(program) is None]
    if lacking:
        return f"there is no program {lacking[0]}"
    try:
        with disk(megabytes=8):
            return None
    except OSError as error:
        return str(error)


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{command[0]}: {' '.join(done.stderr.split()) or done.returncode}")
