"""A turn that is over, shown: its answer and sources, what went wrong, and a dim line of what it took."""

from collections.abc import Sequence
from dataclasses import replace

from agentorch.cli.carrying import Carried
from agentorch.cli.chat.turn import STOPPED, Turn
from agentorch.cli.result import as_json, show_answer, show_problems, show_warnings
from agentorch.cli.screen import Screen
from agentorch.cli.words import counted, money, seconds, short_id, tokens
from agentorch.core.usage import NOTHING, Usage


def say_turn(screen: Screen, turns: Sequence[Turn], carried: Carried, *, json: bool, is_kept: bool) -> None:
    """Show the last of `turns`, which is what was carried out."""
    turn, outcome = turns[-1], carried.outcome
    if outcome is None:
        if not json:
            screen.say(_stopped(turn, carried, is_kept=is_kept), "yellow")
    elif json:
        screen.json(as_json(outcome), indent=None)
        return
    else:
        if turn.answer:
            show_answer(screen, replace(outcome, answer=turn.answer))
        show_problems(screen, outcome)
        show_warnings(screen, outcome)
        if turn.status == "waiting":
            asks = ", and asks again what is open" if carried.progress.state.requests else " when that is mended"
            screen.say(f"/resume goes on{asks}", "dim")
    screen.dim(took(turn, turns))


def took(turn: Turn, turns: Sequence[Turn]) -> str:
    """Return the dim line: tokens, money for the turn and for the chat, time, run."""
    usage = turn.usage
    cost = money(usage)
    whole = money(spent(turns))
    if whole is not None and len(turns) > 1 and whole != cost:
        cost = f"{cost or '$0.0000'} (the chat {whole})"
    parts = [tokens(usage), cost, seconds(turn.seconds), f"run {short_id(turn.run_id)}"]
    return " · ".join(part for part in parts if part)


def spent(turns: Sequence[Turn]) -> Usage:
    """Return what turns took together."""
    return sum((turn.usage for turn in turns), NOTHING)


def _stopped(turn: Turn, carried: Carried, *, is_kept: bool) -> str:
    done = f"{counted(len(turn.finished), 'finished task')} of {len(carried.progress.state.tasks)} kept"
    how = "/resume goes on, /undo forgets it" if is_kept else "/retry begins it anew, /undo forgets it"
    return f"{STOPPED}, {done}: {how}"
