"""What the core wants done, and who does it."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import cast

from agentorch.core.commands import AskPerson, AskPlanner, CheckOutputs, Command, Deliver, Dispatch, SetTimer, Withdraw
from agentorch.runtime.dispatches import Dispatches
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.timers import Timers

Ask = Callable[[HostedRun, AskPlanner], None]
AskThePerson = Callable[[HostedRun, AskPerson], None]
Check = Callable[[HostedRun, CheckOutputs], None]


class Commands:
    """Carries out the commands of runs."""

    def __init__(
        self, dispatches: Dispatches, timers: Timers, *, ask_planner: Ask, ask_person: AskThePerson, ask_check: Check
    ) -> None:
        self._dispatches = dispatches
        self._timers = timers
        self._ask_planner = ask_planner
        self._ask_person = ask_person
        self._ask_check = ask_check

    def carry_out(self, run: HostedRun, commands: Sequence[Command]) -> None:
        """Begin to do what is wanted, in order: dispatches that stand side by side are handed over together."""
        first = commands[0]
        if len(commands) == 1 and isinstance(first, Dispatch):  # as in a chain
            self._dispatches.hand_over(run, first)
            return
        for kind, some in groupby(commands, type):
            if kind is Dispatch:
                self._dispatches.hand_over_all(run, cast("list[Dispatch]", list(some)))
            else:
                for command in some:
                    self._carry_out(run, command)

    def _carry_out(self, run: HostedRun, command: Command) -> None:
        match command:
            case Withdraw():
                self._dispatches.withdraw(run, command)
            case SetTimer():
                self._timers.set(run, command)
            case Deliver():
                run.deliver(command.task)
            case AskPlanner():
                if "plan" in run.state.pending:
                    self._ask_planner(run, command)
            case AskPerson():
                if command.request_id in run.state.requests:
                    self._ask_person(run, command)
            case _:
                if isinstance(command, CheckOutputs) and command in run.state.pending.values():
                    self._ask_check(run, command)
