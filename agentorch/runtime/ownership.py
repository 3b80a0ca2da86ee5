"""May this process take a run over? Who carries it out must be gone, and its agents must be what they were.

1. A run belongs to whoever adopted it last. A process that is dead, or that has stood still for long, is passed over;
   should it wake up, the journal refuses what it writes.
2. A run that stands still, or waits for a person with nothing under way, may be taken from a live process. While a
   body still runs it may not, stopped or not: it would run twice at once.
3. A run that a process lets go of while it lives is nobody's. One that it has lost is its own by the journal; only that
   process may take it up, or end it.
"""

import asyncio
import logging
from typing import Final, Literal

from agentorch.core.adopting import changed_agents
from agentorch.core.state import RunState
from agentorch.errors import ConfigurationError, RunOwnedError
from agentorch.ports.journal import Journal, KnowsOwners

log = logging.getLogger(__name__)

Changed = Literal["refuse", "accept", "restart"]
"""What is done with agents that have changed since a run began: stop, go on, or begin their attempts afresh."""
_LOOK: Final = 0.1
_WORTH_SAYING: Final = 2.0


def needs_its_owner(state: RunState) -> bool:
    """Whether something is under way that only its owner can bring to an end."""
    return bool(state.running) or not state.idle


async def wait_for_owner_s_end(state: RunState, journal: Journal, *, us: str) -> None:
    """Return when the owner of a run has gone, or is seen to stand still; RunOwnedError when it lives.

    An owner that lives shows it within a second.
    """
    if not isinstance(journal, KnowsOwners) or state.owner == us or not needs_its_owner(state):
        return
    loop = asyncio.get_running_loop()
    first, since, said = journal.beat(state.owner), loop.time(), False
    while journal.is_alive(state.owner):
        if journal.beat(state.owner) != first:
            raise RunOwnedError(
                f"run {state.run_id} is being carried out by {state.owner}: watch it with `agentorch runs watch "
                f"{state.run_id}`, or stop it with `agentorch cancel {state.run_id}`"
            )
        if not said and loop.time() - since > _WORTH_SAYING:
            said = True
            log.warning("run %s: %s does not move; it is taken over if that lasts", state.run_id, state.owner)
        await asyncio.sleep(_LOOK)


def check_team(state: RunState) -> None:
    """Refuse to go on with agents that are not there any more."""
    for task in state.tasks.values():
        if task.agent not in state.catalog:
            raise ConfigurationError(
                f"run {state.run_id}: task '{task.task.id}' needs agent '{task.agent}', which this team lacks"
            )


def restarted(state: RunState, versions: dict[str, str], changed: Changed) -> frozenset[str]:
    """Return the agents whose attempts begin afresh; ConfigurationError for changes that nobody has allowed."""
    names = changed_agents(state, versions)
    if not names or changed == "accept":
        return frozenset()
    if changed == "restart":
        every = any(name.startswith(_PROMPT) for name in names)  # a template may be in any prompt
        return frozenset(task.agent for task in state.tasks.values()) if every else frozenset(names)
    what = ", ".join(_in_words(name) for name in names)
    raise ConfigurationError(
        f"run {state.run_id}: changed since it began: {what}; --restart-changed begins what they had begun afresh, "
        "--accept-changes goes on as it is"
    )


def _in_words(name: str) -> str:
    template = name.removeprefix(_PROMPT)
    return f"agent '{name}'" if template == name else f"template '{template}'"


_PROMPT: Final = "prompt:"
