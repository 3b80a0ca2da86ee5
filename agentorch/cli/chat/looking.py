"""Commands of a chat that only look: tasks, why, agents, cost. They may be given while a run goes on."""

import time
from collections.abc import Sequence
from typing import Final

from agentorch.cli.carrying import Carried
from agentorch.cli.chat.chat import Chat
from agentorch.cli.chat.showing import spent
from agentorch.cli.chat.turn import Turn
from agentorch.cli.journals import readable, reading
from agentorch.cli.plan_text import as_text
from agentorch.cli.tables import spoken
from agentorch.cli.words import money, one_line, seconds, short_id, tokens
from agentorch.core.state import Status
from agentorch.core.task import Graph
from agentorch.errors import ConfigurationError
from agentorch.plans import Plan
from agentorch.runtime.why import explain

_NOT_BEGUN: Final = frozenset({Status.PENDING, Status.READY})


async def tasks(chat: Chat, argument: str) -> None:
    """Show the tasks of this turn, or of the last."""
    del argument
    rows = [
        [row.task, str(row.status), row.agent, "" if row.elapsed is None else seconds(row.elapsed), row.note]
        for row in _last(chat).progress.rows(time.time())
    ]
    if rows:
        spoken(chat.front.screen, rows, head=["task", "status", "agent", "time", ""])
    else:
        chat.front.screen.say("there is no plan yet")


async def shown_plan(chat: Chat) -> None:
    """Show the plan of this turn, or of the last, and where its tasks stand once one has begun."""
    state = _last(chat).progress.state
    graph = Graph(tuple(task.task for task in state.tasks.values() if task.caller is None), state.answer)
    if graph.tasks:
        begun = any(state.tasks[task.id].status not in _NOT_BEGUN for task in graph.tasks)
        states = {task.id: str(state.tasks[task.id].status) for task in graph.tasks} if begun else {}
        screen = chat.front.screen
        screen.lines(as_text(Plan.from_graph(graph, state.goal), screen.words_sheet, states=states))
    else:
        chat.front.screen.say("there is no plan yet")


async def why(chat: Chat, argument: str) -> None:
    """Explain why a task stands as it does; of all tasks the one that is named, or the only one."""
    last = _last(chat)
    names = list(last.progress.state.tasks)
    task = argument.strip() or (names[0] if len(names) == 1 else "")
    if not task:
        raise ConfigurationError(f"/why TASK: name one of {', '.join(names) or 'none: there is no plan yet'}")
    if not chat.record.is_kept:
        raise ConfigurationError("/why reads the journal, and this chat's is in memory: begin one with --journal FILE")
    async with reading(chat.record.journal) as journal:
        events, _ = await readable(journal, last.run_id)
    for line in explain(events, task):
        chat.front.screen.say(f"#{line.seq} {'  ' * line.depth}{one_line(line.text)}")


async def agents(chat: Chat, argument: str) -> None:
    """List the team."""
    del argument
    rows = [
        [f"@{card.name}", "needs a model" if card.needs_model else "", one_line(card.description)]
        for card in chat.registry.cards.values()
    ]
    spoken(chat.front.screen, rows, head=["agent", "", "what it does"])


async def cost(chat: Chat, argument: str) -> None:
    """Show what each turn took, and all of them."""
    del argument
    rows = [
        [str(number), short_id(turn.run_id), seconds(turn.seconds), tokens(turn.usage), money(turn.usage) or ""]
        for number, turn in enumerate(chat.turns, 1)
    ]
    if chat.forgotten:
        rows.append(_sum("forgotten", chat.forgotten))
    rows.append(_sum("all", [*chat.turns, *chat.forgotten]))
    spoken(chat.front.screen, rows, head=["turn", "run", "time", "tokens", "money"])


def _sum(name: str, turns: Sequence[Turn]) -> list[str]:
    usage = spent(turns)
    return [name, "", seconds(sum(turn.seconds for turn in turns)), tokens(usage), money(usage) or ""]


def _last(chat: Chat) -> Carried:
    if chat.last is None:
        raise ConfigurationError("no turn was taken here yet: say something first")
    return chat.last
