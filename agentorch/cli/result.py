"""What came of a run, shown: the answer and its sources on stdout, the rest on stderr."""

import shlex
from collections.abc import Sequence
from typing import Any, Final

from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.cli.words import counted, money, one_line, seconds, short_id, tokens
from agentorch.core.failures import FailureKind, Problem
from agentorch.runtime.outcome import Outcome, OutcomeStatus

SUCCEEDED, FAILED, ENVIRONMENT, PARTIAL, WAITING = 0, 1, 2, 3, 4
_MOST: Final = 8
"""Problems that are listed."""
STOPPED: Final = "interrupted"
"""Code of the problem of a run that Ctrl-C stopped."""


def exit_code(outcome: Outcome) -> int:
    """Return the exit code that says how a run stands."""
    match outcome.status:
        case OutcomeStatus.SUCCEEDED:
            return SUCCEEDED
        case OutcomeStatus.PARTIAL:
            return PARTIAL
        case OutcomeStatus.WAITING:
            codes = {problem.code for problem in outcome.problems}
            return ENVIRONMENT if codes & {FailureKind.UNCONFIGURED, STOPPED} else WAITING
        case _:
            return FAILED


def show_outcome(screen: Screen, outcome: Outcome, *, json: bool, setup: Setup, warned: bool = False) -> int:
    """Show it; return the exit code. `warned` says that its warnings were shown while it went on."""
    code = exit_code(outcome)
    if json:
        screen.json(as_json(outcome), indent=None)
        return code
    if outcome.answer is not None:
        show_answer(screen, outcome)
    show_problems(screen, outcome)
    if not warned:
        show_warnings(screen, outcome)
    if code == WAITING:
        screen.say(f"answer with: {command('approve', outcome.run_id, setup.flags('--journal'))}", whole=True)
    if outcome.status is OutcomeStatus.WAITING:
        screen.say(f"go on with: {command('resume', outcome.run_id, setup.flags())}", whole=True)
    elif code in {FAILED, PARTIAL}:
        screen.say(f"see more: {command('runs show', outcome.run_id, setup.flags('--journal'))}", whole=True)
    screen.dim(summary(outcome))
    return code


def command(words: str, run_id: str, flags: Sequence[str] = ()) -> str:
    """Return a command line that can be typed as it is."""
    return " ".join(["agentorch", words, short_id(run_id), *map(shlex.quote, flags)])


def summary(outcome: Outcome) -> str:
    """Return the last line: tasks, tokens, cost, time, run."""
    usage = outcome.usage
    done = sum(status == "succeeded" for status in outcome.states.values())
    total = len(outcome.states)
    tasks = counted(total, "task") if done == total else f"{done} of {counted(total, 'task')}"
    parts = [tasks, tokens(usage), money(usage), seconds(outcome.seconds), f"run {short_id(outcome.run_id)}"]
    return " · ".join(part for part in parts if part)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as JSON: the last line of `--json`."""
    return {
        "type": "Outcome",
        "run_id": outcome.run_id,
        "status": str(outcome.status),
        "answer": outcome.answer,
        "sources": outcome.sources,
        "problems": outcome.problems,
        "usage": outcome.usage,
        "seconds": round(outcome.seconds, 3),
        "states": outcome.states,
    }


def show_answer(screen: Screen, outcome: Outcome) -> None:
    """Write the answer, and what it rests on as far as it does not say so itself, on stdout."""
    if isinstance(outcome.answer, str):
        screen.prose(outcome.answer.rstrip("\n"))
    else:
        screen.json(outcome.answer)
    text = outcome.answer if isinstance(outcome.answer, str) else ""
    unsaid = [source for source in outcome.sources if source not in text]
    if unsaid:
        screen.data("\nSources:\n" + "\n".join(f"  {one_line(source)}" for source in unsaid))


def show_problems(screen: Screen, outcome: Outcome) -> None:
    """Say what is wrong: in one line when it is one thing."""
    if outcome.status is OutcomeStatus.SUCCEEDED:
        return
    word = "stopped" if exit_code(outcome) == ENVIRONMENT else str(outcome.status)
    lines = [_in_words(problem) for problem in outcome.problems if problem.is_error]
    if len(lines) == 1:
        screen.say(f"{word}: {lines[0]}", "yellow")
        return
    screen.say(f"{word}:" if lines else word, "yellow")
    _listed(screen, [f"  {line}" for line in lines])


def show_warnings(screen: Screen, outcome: Outcome) -> None:
    """Say what is doubtful."""
    _listed(screen, [f"warning: {_in_words(problem)}" for problem in outcome.problems if not problem.is_error])


def _listed(screen: Screen, lines: Sequence[str]) -> None:
    for line in lines[:_MOST]:
        screen.say(line)
    if len(lines) > _MOST:
        screen.say(f"  and {len(lines) - _MOST} more")


def _in_words(problem: Problem) -> str:
    return one_line(problem.line) + (f" ({problem.remedy})" if problem.remedy else "")
