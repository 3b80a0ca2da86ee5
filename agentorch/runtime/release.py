"""Which release of agentorch this is."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def release() -> str:
    """Return the version of agentorch that is installed."""
    try:
        return version("agentorch")
    except PackageNotFoundError:
        return "unknown"
