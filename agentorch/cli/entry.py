"""The console script: runs a command, and turns whatever it raises into one line and an exit code."""

import os
import sys
from typing import Any, Final

from agentorch.cli.leaving import INTERRUPTED, leave
from agentorch.cli.streams import let_go_of_stdout, open_closed_streams, tell
from agentorch.errors import AgentorchError, FailureKind, MissingExtraError, ModelError

FAILED: Final = 1
ENVIRONMENT: Final = 2
BUG: Final = 70
_LONGEST: Final = 2_000
"""Characters of a message that are shown."""
_EXTRA: Final = {"typer", "rich", "platformdirs", "pydantic_settings", "prompt_toolkit"}
"""What the extra [cli] installs."""


def main() -> None:
    """Run the command line and leave with its exit code; never with a traceback, unless AGENTORCH_DEBUG is set."""
    open_closed_streams()
    try:
        code = _app()
        sys.stdout.flush()
    except Exception as error:
        if os.environ.get("AGENTORCH_DEBUG") and not isinstance(error, BrokenPipeError):
            raise
        code = _told(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    leave(code)


def _app() -> int:
    try:
        from agentorch.cli.app import app
    except ModuleNotFoundError as error:
        raise _missing(error) or error from None
    try:
        code = app(standalone_mode=False)
    except SystemExit:
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":  # typer's own way with a pipe that nobody reads
            raise BrokenPipeError from None
        raise
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        code = _misused(error)
    return code or 0


def _misused(error: Any) -> int:
    """Say in one line what is wrong with the command line: typer, whose error this is, would take three."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return ENVIRONMENT
    words = str(error.format_message())
    if error.message and (options := getattr(getattr(error, "param", None), "opts", None)):
        refused: list[Any] = error.__cause__.errors() if hasattr(error.__cause__, "errors") else []
        value = f" {refused[0]['input']}" if refused else ""
        words = f"{max(options, key=len)}{value}: {error.message.replace('Input should', 'it should')}"
    tell(f"agentorch: {one_line(words).removesuffix('.')}")
    return ENVIRONMENT


def _missing(error: ModuleNotFoundError) -> MissingExtraError | None:
    root = (error.name or "").partition(".")[0]
    return MissingExtraError("the command line", "cli") if root in _EXTRA else None


def _told(error: Exception) -> int:
    """Say in one line what went wrong; return the exit code."""
    if isinstance(error, BrokenPipeError):  # whoever read our output has gone: `agentorch runs | head -1`
        let_go_of_stdout()
        return 0
    if isinstance(error, ModuleNotFoundError):
        error = _missing(error) or error
    if isinstance(error, AgentorchError):
        tell(f"agentorch: {one_line(error)}")
        return code_of(error)
    if isinstance(error, OSError):
        return _told_of_system(error)
    words = one_line(error) or "no message"
    tell(f"agentorch: {type(error).__name__}: {words} (this is a bug; set AGENTORCH_DEBUG=1 for the traceback)")
    return BUG


def _told_of_system(error: OSError) -> int:
    """Say what the system refused: a file, or what was to be written on stdout."""
    if error.filename is not None:
        tell(f"agentorch: {one_line(error.filename)}: {error.strerror}: check the path and its permissions")
        return ENVIRONMENT
    let_go_of_stdout()
    tell(f"agentorch: the output cannot be written: {one_line(error.strerror or error)}: see where stdout goes")
    return ENVIRONMENT


def one_line(said: object) -> str:
    """Return a message as one line without control characters, of a length that can be read."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in str(said)).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text):,} characters)"


def code_of(error: AgentorchError) -> int:
    """Return the exit code for an error that was raised on purpose."""
    if isinstance(error, ModelError):
        return ENVIRONMENT if error.kind is FailureKind.UNCONFIGURED else FAILED
    return ENVIRONMENT
