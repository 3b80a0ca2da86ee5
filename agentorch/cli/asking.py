"""Questions that a run waits for, asked at the terminal."""

import sys
from functools import partial
from typing import Any, Final

import anyio.to_thread

from agentorch.cli.plan_text import as_text
from agentorch.cli.screen import Screen
from agentorch.core.state import Request
from agentorch.documents import DocumentError, read_json
from agentorch.runtime.run import Run


async def ask_person(run: Run, screen: Screen) -> bool:
    """Ask what the run waits for, and hand in the answers; False when the person leaves one open."""
    for request in run.waiting:
        if request.kind == "plan":
            screen.lines(as_text((await run.outcome()).plan))
        screen.lines(request.question, "bold")
        said = await anyio.to_thread.run_sync(partial(_read_line, _hint(request)), abandon_on_cancel=True)
        if said is None:
            return False
        await run.answer(request.request_id, answer_from(request, said), by="user")
    return True


def _hint(request: Request) -> str:
    return _HINTS.get(request.kind, "> ")


_HINTS: Final = {
    "approval": "[y/N] ",
    "plan": "[y/N] ",
    "failure": "[retry/fail, or the output as JSON] ",
    "effect": "[done/retry/skip, or what it gave as JSON] ",
}


def _read_line(hint: str) -> str | None:
    """Return what is typed; None at the end of the input."""
    sys.stderr.write(hint)
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.strip() if line else None


def answer_from(request: Request, said: str) -> Any:
    """Return what was typed in the form that the request asks for."""
    match request.kind:
        case "approval" | "plan":
            return said.lower() in {"y", "yes"}
        case "failure":
            return said if said in {"retry", "fail"} else {"output": _json_or_text(said)} if said else "fail"
        case "effect":
            return said if said in {"done", "retry", "skip"} else {"done": _json_or_text(said)} if said else "skip"
        case _:
            return said if request.answer_schema.get("type") == "string" else _json_or_text(said)


def _json_or_text(said: str) -> Any:
    try:
        return read_json(said)
    except DocumentError:
        return said
