"""`agentorch doctor`: what is configured, one line each, with one remedy for each thing that is not right.

It looks at the model's server only when a model is named, asks it something that costs only when told to, and never
shows a key.
"""

import os
import platform
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

import anyio

from agentorch.cli.local_servers import LocalServer, look
from agentorch.cli.probing import QUESTIONS
from agentorch.cli.probing import probe as asked
from agentorch.cli.reaching import reach
from agentorch.cli.screen import Screen
from agentorch.cli.settings import ENV_FILE, Setup, setup
from agentorch.cli.settings_files import PROJECT_FILE, user_file
from agentorch.cli.teams import team
from agentorch.errors import AgentorchError
from agentorch.journal.opening import open_journal
from agentorch.models.access import shown
from agentorch.models.opening import provider_named_by
from agentorch.runtime.release import release

_EXTRAS: Final = {
    "cli": ("typer", "rich", "platformdirs", "prompt_toolkit", "pydantic_settings"),
    "pdf": ("pypdf",),
    "notebook": ("ipykernel", "matplotlib", "pandas"),
    "testing": ("looptime", "pytest", "pytest_asyncio", "pytest_httpx2", "respx"),
}
_ENVIRONMENT: Final = 2
Mark = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    mark: Mark
    found: str
    remedy: str = ""


def examine(
    *, model: Sequence[str] | None, journal: str | None, project: Path | None, probe: bool = False, json: bool
) -> int:
    """Look at everything, and with `probe` ask the models what they support; exit code 2 when something is wrong."""
    screen = Screen()
    findings: list[Finding] = []
    tell = screen.dim if screen.draws and not json else _nothing
    for finding in _findings(model, journal, project, tell if probe else None):
        findings.append(finding)
        if not json:
            _show(screen, finding)
    if json:
        screen.json([asdict(finding) for finding in findings])
    return _ENVIRONMENT if any(finding.mark == "wrong" for finding in findings) else 0


def _show(screen: Screen, finding: Finding) -> None:
    mark = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}[finding.mark]
    screen.fact(f"{mark}  {finding.what:<9} ", finding.found)
    if finding.remedy:
        screen.fact(f"{'':17}-> ", finding.remedy)


def _findings(
    model: Sequence[str] | None, journal: str | None, project: Path | None, telling: Callable[[str], None] | None
) -> Iterator[Finding]:
    """Yield what is found, as it is found; where there is somebody to tell, models are asked what they support."""
    yield _python()
    yield Finding("agentorch", "ok", release())
    yield _extras()
    try:
        chosen = setup(model=model, journal=journal, project=project)
    except AgentorchError as error:
        yield Finding("settings", "wrong", str(error))
        return
    yield _settings(chosen)
    yield _project(chosen)
    yield anyio.run(_journal, chosen.journal)
    yield _key(chosen)
    for name in chosen.model:
        reached = Finding("model", *anyio.run(reach, name))
        yield reached
        if reached.mark != "wrong":
            yield from (_unasked(name),) if telling is None else _supported(name, telling)
    if not chosen.model:
        yield from (_local(server) for server in anyio.run(look, chosen.local_ports))


def _python() -> Finding:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, SQLite {sqlite3.sqlite_version}"
    if sys.version_info < (3, 11):  # noqa: UP036  # said in words, should it ever start
        return Finding("python", "wrong", found, "use Python 3.11 or newer")
    return Finding("python", "ok", found)


def _extras() -> Finding:
    there = [name for name, modules in _EXTRAS.items() if all(find_spec(module) for module in modules)]
    missing = [name for name in _EXTRAS if name not in there]
    without = f"; without {', '.join(missing)}" if missing else ""
    found = ", ".join(there) + without
    remedy = f"only if wanted: pip install 'agentorch[{','.join(missing)}]'" if missing else ""
    return Finding("extras", "note" if missing else "ok", found, remedy)


def _supported(name: str, tell: Callable[[str], None]) -> Iterator[Finding]:
    """Ask for one thing after the other, until an answer is wrong."""
    for question in QUESTIONS:
        tell(f"asking {name} for {question.name} ...")
        found = Finding("supports", *anyio.run(asked, name, question))
        yield found
        if found.mark == "wrong":
            return


def _nothing(line: str) -> None:
    del line


def _unasked(name: str) -> Finding:
    found = f"{name}: not asked what it supports"
    return Finding("supports", "note", found, "agentorch doctor --probe asks, in three short calls")


def _local(server: LocalServer) -> Finding:
    models = ", ".join(server.models[:5]) or "no model"
    name = server.models[0] if server.models else "NAME"
    remedy = f"to use it: /model local:{name} in agentorch chat, or OPENAI_BASE_URL={server.url} and --model {name}"
    return Finding("server", "note", f"on this machine at {server.url}: {models}; it is not used unasked", remedy)


def _settings(chosen: Setup) -> Finding:
    """Say which files of settings were read."""
    project = [] if chosen.project is None else [chosen.project / PROJECT_FILE]
    read = [str(path) for path in (Path(ENV_FILE), *project, user_file()) if path.is_file()]
    return Finding("settings", "ok", ", ".join(read) or f"no file; the user's would be {user_file()}")


def _project(chosen: Setup) -> Finding:
    where = str(chosen.project) if chosen.project else "none here; the built-in agents are used"
    try:
        loaded = team(project=chosen.project)
    except AgentorchError as error:
        return Finding("project", "wrong", str(error), "mend or move that file; `agentorch agents validate` checks it")
    names = ", ".join(sorted(agent.name for agent in loaded.agents))
    return Finding("project", "ok", f"{where} ({names})")


async def _journal(place: str) -> Finding:
    if place == "memory:":
        return Finding("journal", "note", "memory: no run is kept", "name a file: --journal, or AGENTORCH_JOURNAL")
    try:
        journal = open_journal(place)
        await journal.open()
        try:
            runs = [record async for record in journal.runs(limit=1)]
            kept = "runs are kept" if runs else "no run yet"
        finally:
            await journal.close()
    except AgentorchError as error:
        return Finding("journal", "wrong", str(error), "mend it, or name another file: --journal, or AGENTORCH_JOURNAL")
    return Finding("journal", "ok", f"{place} (writable, survives a power cut; {kept})")


def _key(chosen: Setup) -> Finding:
    try:
        key, url = provider_named_by(os.environ)
    except AgentorchError as error:
        return Finding("key", "wrong", str(error))
    found = f"OPENAI_API_KEY is {'set' if key else 'not set'}; server {shown(url or 'api.openai.com')}"
    if chosen.model:
        return Finding("key", "ok", found)
    return Finding("key", "note", f"{found}; no model is named", "to use one: --model NAME, or AGENTORCH_MODEL=NAME")
