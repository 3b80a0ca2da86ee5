"""A check across tasks has its verdict: accepted, or a task whose output is rejected is done again in a new revision.

1. An output is final in its (task, revision). The new revision goes on where the ladder of the old one stood, so that
   rejections are bounded by the policy as those of any check are.
2. What depends on the rejected output is reset as by a patch. Where that would do an effect twice, nothing is done
   again: the problem stands, and the run cannot succeed. So it does when the check itself could not be carried out.
"""

from dataclasses import replace

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.children import cancel_children
from agentorch.core.crosschecks import begin_check, pending_name
from agentorch.core.failing import remedy
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.identity import digest
from agentorch.core.patching import changes_effects, redo, reset_by
from agentorch.core.special import Ladder
from agentorch.core.stamping import Stamp
from agentorch.core.state import CrossCheckState, RunState


def checked(state: RunState, message: msg.Checked, stamp: Stamp) -> list[ev.Event]:
    """Record a verdict and what is done about it; nothing when the outputs have been taken back meanwhile."""
    check = state.checks.get(message.check)
    if check is None or check.status != "asked" or check.number != message.number:
        return []
    if not message.problems:
        return [stamp(ev.CheckEnded, check=message.check, number=message.number)]
    name = check.tasks[check.spec.about.index(check.spec.redo)]
    refusals = changes_effects(state, name)
    if message.broken or refusals:
        return [_stands(check, message, refusals, stamp)]
    task = state.tasks[name]
    events = cancel_children(state, reset_by(state, (name,)), stamp)
    problems, output = message.problems, state.outputs[name]
    revision = state.revision + 1
    ended = stamp(
        ev.CheckEnded, task=name, check=message.check, number=message.number, problems=problems, revision=revision
    )
    key = state.key_of(task)
    failure = msg.Fail(message.at, key, FailureKind.INVALID, problems, output, rejected_by=(message.check,))
    return [*events, ended, *remedy(state, task, failure, stamp)]


def _stands(check: CrossCheckState, message: msg.Checked, refusals: tuple[Problem, ...], stamp: Stamp) -> ev.Event:
    words = "; ".join((*message.problems, *(problem.message for problem in refusals)))
    about = ", ".join(f"'{name}'" for name in check.tasks)
    verb = "could not judge" if message.broken else "rejects"
    standing = Problem("check", f"check '{message.check}' {verb} {about}: {words}")
    return stamp(
        ev.CheckEnded, check=message.check, number=message.number, problems=message.problems, standing=standing
    )


def apply_check(state: RunState, event: ev.CheckStarted | ev.CheckEnded) -> None:
    """Ask for a check; enter its verdict, and open a new revision of the task that is to be done again."""
    if isinstance(event, ev.CheckStarted):
        begin_check(state, state.checks[event.check])
        return
    state.checks[event.check].status = "done"
    state.pending.pop(pending_name(event.check), None)
    if event.standing is not None:
        state.problems += (event.standing,)
    if event.task is None:
        return
    task, output = state.tasks[event.task], state.outputs[event.task]
    known = task.ladder or Ladder(task.task.agent, since=task.started)
    seen = {digest([output, event.problems]): task.attempt} | known.seen
    ladder = replace(known, output=output, problems=event.problems, kind=FailureKind.INVALID, seen=seen)
    redo(state, task, event.revision, ladder)
