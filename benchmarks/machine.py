"""What the figures were measured on. Standard library only."""

import os
import platform
import sqlite3
import sys
import tempfile
from pathlib import Path


def facts() -> dict[str, str]:
    """Return what a figure depends on, by what it is."""
    return {
        "CPU": _line("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "SQLite": sqlite3.sqlite_version,
        "kernel": f"{platform.system()} {platform.release()}",
        "file system of durable folders": _file_system(Path(tempfile.gettempdir())),
    }


def busy() -> str:
    """Return how busy the machine is now."""
    one, five, _ = os.getloadavg()
    return f"load {one:.2f} in the last minute, {five:.2f} in the last five"


def _line(file: str, word: str) -> str:
    path = Path(file)
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(word)), "")


def _memory() -> str:
    total = _line("/proc/meminfo", "MemTotal").split()
    return f"{int(total[0]) / 2**20:.0f} GB" if total else "unknown"


def _file_system(folder: Path) -> str:
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return sys.platform
    found = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    fitting = [(place, kind) for place, kind in found if folder.resolve().is_relative_to(place)]
    return max(fitting, key=lambda entry: len(entry[0]), default=("", "unknown"))[1]
