"""Model calls repeated after a kill: agentorch, and LangGraph with its SQLite saver in the same harness.

    python -m tests.faults.beside

LangGraph is installed into a folder of its own that is gone afterwards; agentorch never depends on it. Without a
package index only the figure for agentorch is printed, and why the other is missing; what was installed must run.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import venv
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import anyio

from agentorch import Context, Orchestrator, Plan, agent
from agentorch.core.usage import Usage
from agentorch.ports.model import ModelRequest, ModelResponse, OnDelta
from tests.faults.calls import CALLS, LATENCY, TASKS, Calls, kill_everywhere

PINNED: Final = ("langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2")


class _Model:
    name = "counted"

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        key = request.messages[-1].content.strip().splitlines()[0]
        self._calls.begin(key)
        await anyio.sleep(LATENCY)
        return ModelResponse(f"said {key}", "stop", usage=Usage(10, 5, calls=1), model=self.name)

    def count(self, text: str) -> int:
        return len(text) // 4

    async def close(self) -> None:
        pass


def ours(calls: Calls) -> None:
    """Do the work with agentorch."""

    @agent(description="Asks three times.", needs_model=True)
    async def asking(number: int, before: list[str], context: Context) -> list[str]:
        said = list(before)
        for call in range(CALLS):
            key = f"task {number} call {call}"
            said.append(str(await context.model(key)))
            calls.end(key)
        return said

    plan = Plan("five tasks in a row")
    before: Any = []
    for number in range(TASKS):
        before = plan.add(f"task{number}", agent=asking, inputs={"number": number, "before": before})

    async def carry_out() -> None:
        async with Orchestrator([asking], model=_Model(calls), journal=calls.folder / "runs.db") as orchestrator:
            known = [record.run_id async for record in orchestrator.runs()]
            await (orchestrator.resume(known[0]) if known else orchestrator.run(plan, key="work"))

    asyncio.run(carry_out())


def theirs() -> list[dict[str, Any]]:
    """Return LangGraph's figures; OSError in words when it cannot be installed."""
    root = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory(prefix="agentorch-langgraph-") as name:
        venv.create(name, with_pip=True)
        python = str(Path(name) / "bin" / "python")
        try:
            _call(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINNED)
        except RuntimeError as error:
            raise OSError(str(error)) from error
        said = _call(python, "-m", "tests.faults.langgraph_calls", folder=root)
    return json.loads(said.splitlines()[-1])


def _call(*command: str, folder: Path | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [str(done.returncode)]
        raise RuntimeError(f"{' '.join(command[1:4])} ...: {lines[-1]}")
    return done.stdout


def main() -> int:
    """Count, tell, and return 1 when agentorch repeated a call."""
    mine = kill_everywhere("agentorch", ours)
    figures: dict[str, Any] = {"agentorch": asdict(mine), "versions": PINNED}
    try:
        figures["langgraph"] = theirs()
    except OSError as error:
        figures["not run"] = str(error)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return int(bool(mine.repeated or mine.unfinished))


if __name__ == "__main__":
    raise SystemExit(main())
