"""File systems of a test's own: only root may mount, and not everywhere."""

import shutil
import subprocess


def mounted(*arguments: str) -> bool:
    """Call `mount`; whether it worked."""
    if shutil.which("mount") is None:
        return False
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode == 0
