"""The supervisor: the one writer of its runs. Messages come in, decisions go to the journal, commands are carried out.

1. One message, or what came together, and the admissions that it makes room for are one append; nothing is awaited.
2. In process a dispatch need not wait for the journal, because a crash takes the worker along; elsewhere it does. So
   in process what is decided within one turn of the event loop goes to the journal as one append.
3. A result is acknowledged on the bus once its event is durable.
4. An error that nobody else would hear of loses the run to this process, and no other run.
5. A run is at rest when what was withdrawn has ended too, or its grace is over: then its journal names it.
"""

from collections.abc import Callable, Container, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

from agentorch.core import inbox
from agentorch.core.advance import admit_ready, advance
from agentorch.core.commands import AskPlanner, CheckOutputs, Command, Dispatch, SetTimer
from agentorch.core.events import Event
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.state import RunState
from agentorch.core.task import Graph
from agentorch.core.usage import NOTHING
from agentorch.errors import AgentorchError, RunOwnedError
from agentorch.messages.work import Result
from agentorch.ports.bus import Bus
from agentorch.ports.clock import Clock
from agentorch.ports.journal import Journal
from agentorch.runtime.arrivals import Arrivals
from agentorch.runtime.backlog import Backlog
from agentorch.runtime.commands import AskThePerson, Commands
from agentorch.runtime.dispatches import Dispatches
from agentorch.runtime.dispatching import acts_once, failed
from agentorch.runtime.endings import Endings
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.leaving_requests import Redact
from agentorch.runtime.scheduler import Scheduler
from agentorch.runtime.time_limit import TimeLimit
from agentorch.runtime.timers import Timers
from agentorch.runtime.turn import MOST_DECIDED, Turn

AskThePlanner = Callable[["Supervisor", HostedRun, AskPlanner], None]
AskTheCheck = Callable[["Supervisor", HostedRun, CheckOutputs], None]


class Supervisor:
    """Carries out any number of runs over one bus and one journal."""

    def __init__(
        self,
        *,
        owner: str,
        bus: Bus,
        journal: Journal,
        clock: Clock,
        slots: int,
        backlog: Backlog,
        ask_planner: AskThePlanner,
        ask_person: AskThePerson,
        ask_check: AskTheCheck,
        redact: Redact = lambda message: message,
    ) -> None:
        self.owner = owner
        self._local = bus.local
        self._journal = journal
        self._clock_now = clock.now
        self.redact = redact
        """Returns a message without secrets."""
        self.scheduler = Scheduler(slots, self._admit, backlog)
        backlog.admit_more = self._admit_more
        self._time = TimeLimit(self.now, self.send)
        self._timers = Timers(self.now, self.caught_up)
        self._touched: dict[str, HostedRun] = {}
        """Runs with decisions that are not journaled yet."""
        self._turn = Turn()
        self._settling = False
        self._current: HostedRun | None = None
        """The run that is being settled, whose admissions are seen to with what led to them."""
        self._closed = False
        self.hosted: dict[str, HostedRun] = {}
        """Runs that this process carries out, until their last event is durable."""
        self.lost: set[str] = set()
        """Runs that this process may still own by their journal, though it has lost them and lives."""
        self.endings = Endings()
        """What goes on of runs that were lost."""
        self._latest = 0.0
        self._dispatches = Dispatches(owner, bus, self.endings, now=self.now, send=self.send, take=self._take)
        self._commands = Commands(
            self._dispatches,
            self._timers,
            ask_planner=partial(ask_planner, self),
            ask_person=ask_person,
            ask_check=partial(ask_check, self),
        )
        runs = self.scheduler.runs
        self._arrivals = Arrivals(
            owner, bus, self.endings, carried_out=runs, hosted=self.hosted, take=self._take, together=self._together
        )

    def close(self) -> None:
        """Let go of every run; what is durable can be resumed."""
        self._arrivals.close()
        self._closed = True
        self.scheduler.close()
        for run in list(self.hosted.values()):
            self.release(run)

    async def ended(self) -> None:
        """Wait until what was stopped of finished runs has ended, or its grace is over."""
        for run in [run for run in self.hosted.values() if run.state.finished]:
            with suppress(AgentorchError):
                await run.rest()

    async def host(self, state: RunState, first: inbox.Message) -> HostedRun:
        """Take a run in by its first message here; nothing is started for it before that is durable.

        Raises what the journal says when somebody else was first, or when it cannot write.
        """
        if state.run_id in self.hosted:
            raise RunOwnedError(f"run {state.run_id} is being carried out by this process: attach to it")
        self.lost.discard(state.run_id)
        run = self.hosted[state.run_id] = HostedRun(state, self._journal, self)
        self._latest = max(self._latest, state.updated)
        with run.or_lost():
            self.send(run, replace(first, at=max(first.at, state.updated)))  # the clock may have been put back
        if run.lost is not None:
            raise run.lost
        try:
            await run.durable()
        except BaseException:
            # Whoever asked has gone, or the journal has refused: the run must not go on with nobody to hold it.
            if isinstance(first, inbox.Begin | inbox.BeginAs | inbox.Fork):
                self.send(run, inbox.Cancel(self.now(), "the caller", "it was given up before it began"))
            else:
                self.give_up(run, "it was just being taken up when whoever asked for that went away")
            raise
        return run

    def begin(self, state: RunState, first: inbox.Message) -> HostedRun:
        """Take a new run in and start at once: nobody can have been first, and whoever asked waits for its end."""
        run = self.hosted[state.run_id] = HostedRun(state, self._journal, self)
        run.accepted = True
        self.scheduler.enter(run)
        with run.or_lost():
            self.send(run, first)
        return run

    def accept(self, run: HostedRun) -> None:
        """Begin to carry a hosted run out."""
        run.accepted = True
        self.scheduler.enter(run)
        self.caught_up(run)

    def release(self, run: HostedRun) -> None:
        """Let go of a run: nothing more is written for it by this process."""
        if run.accepted and not run.state.idle and run.state.clocked:
            self.send(run, inbox.Spend(self.now(), "until it was let go", NOTHING))  # the time until now counts
        run.commit_last()
        self.endings.write(run.state.run_id, run.written)
        if run.state.finished:
            run.stopping.clear()
        if run.at_rest:
            run.drop_timers()
            run.feed.end()
            self.scheduler.leave(run)
            self._forget(run)
        else:
            run_id = run.state.run_id
            run.lose(AgentorchError(f"run {run_id} was let go: its orchestrator was closed; resume it"))

    def give_up(self, run: HostedRun, problem: str) -> None:
        """Let go of a run though this process lives on: whoever reads the journal finds it stopped, and nobody's."""
        if run.lost is None and not (self._closed or run.state.finished):
            run.commit()
            stop = self.redact(inbox.Stop(self.now(), Problem("stopped", problem)))
            assert isinstance(stop, inbox.Stop)
            run.disown(stop.at, stop.problem)
            self.endings.write(run.state.run_id, run.written)
        run.lose(AgentorchError(f"run {run.state.run_id} was let go: {problem}; resume it"))

    def on_loss(self, run: HostedRun) -> None:
        """Stop what is under way for a run that this process may not write any more; others may have its slots."""
        for command in run.state.pending.values():
            if isinstance(command, Dispatch):
                self._dispatches.withdraw(run, command)
        for key in filter(run.has_left, run.out):
            self.endings.expect(key)
        self.scheduler.leave(run)
        self._forget(run)
        self.lost.add(run.state.run_id)
        if not self._settling:
            self.now()
        self._see_to_it(run)

    def send(self, run: HostedRun, message: inbox.Message) -> list[Event]:
        """Decide on a message, admit what may run by now, and carry out what follows; return what was decided.

        What one message leads to, the admissions included, goes to the journal together.
        """
        return self._decide(run, self.redact(message)) if run.lost is None else []

    def _admit(self, run: HostedRun, busy: Container[str], most: int) -> bool:
        """Admit what stands first of a run; return whether there was anything."""
        at = self._latest if self._settling else self.now()  # what a message makes room for begins at its time
        seq = run.state.seq
        try:
            events = admit_ready(run.state, at, most=most, busy=busy)
        except Exception as error:
            self._half_applied(run, seq, error)
            raise
        if not events:
            return False
        run.decided += events
        if run.standing is not None or run.settlement is not None:
            run.heard(events)
        if run is not self._current:
            self._see_to_it(run)
        return True

    def _admit_more(self) -> None:
        self.now()
        self._settle(None)

    def _decide(self, run: HostedRun, message: inbox.Message) -> list[Event]:
        seq = run.state.seq
        try:
            events = advance(run.state, message)
        except Exception as error:
            self._half_applied(run, seq, error)
            raise
        run.decided += events
        self.scheduler.changed(run)
        if run.standing is not None or run.settlement is not None:
            run.heard(events)
        if self._settling:
            self._see_to_it(run)
        else:
            self._settle(run)
        return events

    @staticmethod
    def _half_applied(run: HostedRun, seq: int, error: Exception) -> None:
        if run.state.seq != seq:  # what is decided from now on would not be as the journal is
            run.break_down(error)

    def _see_to_it(self, run: HostedRun) -> None:
        """See to it that what was decided for a run is carried out, with what led to it, or in a turn of its own."""
        if not self._settling:
            self._settle(run)
        elif run is not self._current:
            self._touched[run.state.run_id] = run

    @contextmanager
    def _together(self) -> Generator[None]:
        """See to all that is decided inside at once, at the end."""
        if self._settling:  # then it is seen to anyway
            yield
            return
        self._settling = True
        try:
            yield
        finally:
            self._settle(None)

    def _settle(self, run: HostedRun | None) -> None:
        """Admit, journal and carry out until nothing is left to do, for this run first."""
        self._settling, backlog, runs = True, self.scheduler.backlog, () if run is None else (run,)
        try:
            while True:
                self._current = run
                self.scheduler.pump()
                self._current = run = None  # what is decided for it from now on is seen to in a turn of its own
                if self._touched:
                    runs = (*runs, *self._touched.values())
                    self._touched.clear()
                waiting = iter(runs)
                for one in waiting:
                    try:
                        self._see_to(one)
                    except Exception as error:  # noqa: BLE001  # it is not of the run whose message was decided on
                        self._touched.update((late.state.run_id, late) for late in waiting)  # if this raises as well
                        one.break_down(error)
                if not (self._touched or (backlog.held and backlog.is_short)):
                    return
                runs = ()
        finally:
            self._current = None
            self._settling = False

    def _see_to(self, run: HostedRun) -> None:
        state = run.state
        if not (self._local and run.accepted):
            run.commit()
        if run.accepted and run.lost is None:
            while state.gained:
                commands, state.gained = state.gained, []
                self._commands.carry_out(run, commands)
            if run.decided and not (run.committing and len(run.decided) < MOST_DECIDED):
                self._turn.commit(run)
        if state.stopped is not None and run.planning is not None:
            run.planning.cancel()  # it is asked anew when the run goes on
        if (state.finished or state.blocked or not state.running) and state.idle:
            self._rested(run)
        elif state.clocked and run.lost is None and (state.budget.max_seconds is not None or state.turned):
            self._time.watch(run)

    def answer(self, run: HostedRun, request_id: str, value: Any, by: str, *, plan: Graph | None = None) -> None:
        """Give a person's answer to the run, and to the dispatch that waits for it; `plan` is the plan as edited."""
        self.send(run, inbox.Answer(self.now(), request_id, value, by, plan))
        waiter = run.questions.pop(request_id, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(value)

    def recover(self, run: HostedRun, left: Sequence[Command]) -> None:
        """Carry out again what the last owner left pending; what may have had its effect already is not repeated."""
        for command in left:
            if command not in run.state.pending.values():
                continue
            if isinstance(command, Dispatch) and self._local and acts_once(run.state, command):
                problem = "its process ended while it ran: whether its effect happened is not known"
                self.send(run, inbox.Fail(self.now(), command.key, FailureKind.CRASH, (problem,)))
            else:
                self._commands.carry_out(run, (command,))
        for task in run.state.tasks.values():
            if task.waiting == "timer" and task.due is not None:
                self._timers.set(run, SetTimer(task.task.id, task.due))

    async def go_on(self, run: HostedRun) -> HostedRun:
        """Lift the stop of a run that is carried out here; durable when this returns."""
        planner = run.state.pending.get("plan")
        run.feed.go_on()
        self.send(run, inbox.Adopt(self.now(), self.owner))
        if planner is not None and planner in run.state.pending.values():
            self._commands.carry_out(run, (planner,))
        await run.durable()
        return run

    def now(self) -> float:
        """Return the time of the next decision: never before an earlier one, whatever the clock does."""
        now = self._clock_now()
        if now > self._latest:  # noqa: PLR1730  # `max` takes three times as long
            self._latest = now
        return self._latest

    def _rested(self, run: HostedRun) -> None:
        if run.state.finished:
            run.drop_timers()
            if run.state.cancelling is not None or run.state.aborted:
                self._dispatches.broadcast(run.state.run_id)
            self._let_go(run)
        if run.state.finished or run.state.stopped is not None:
            run.when_durable(run.feed.end)
        run.settle()

    def landed(self, run: HostedRun) -> None:
        """A call with an effect has ended: let a finished run go that was kept for its receipt."""
        if run.state.finished:
            self._let_go(run)

    def _let_go(self, run: HostedRun) -> None:
        """Forget a finished run, once nothing more can be said of its effects and of what was stopped."""
        if run.asking:
            name = partial(self._name, run)
            run.asking.end(within=run.state.policy.grace, name=name, over=partial(self._let_go, run))
        elif not (run.flying or run.stopping):
            self.scheduler.leave(run)
            run.when_durable(partial(self._forget, run))

    def _name(self, run: HostedRun, problem: Problem) -> None:
        self.send(run, inbox.Abandon(self.now(), problem))

    def _forget(self, run: HostedRun) -> None:
        if self.hosted.get(run.state.run_id) is run:
            del self.hosted[run.state.run_id]

    def _take(self, run: HostedRun, result: Result) -> None:
        key = result.key
        run.out.discard(key)
        if run.stopping:
            run.stopping.pop(key, None)
        if run.lost is not None:
            return
        at = self.now()
        if result.kind is None:  # as nearly all are
            message = inbox.Succeed(at, key, result.output, result.usage, result.sources)
        else:
            message = failed(result, at)
        self._decide(run, self.redact(message))

    def caught_up(self, run: HostedRun) -> None:
        """Go on with a run for which something has come to pass outside: its timer, or its journal."""
        self.scheduler.changed(run)
        self.now()
        self._see_to_it(run)

    def catch_up(self) -> None:
        """Act on what is due by the clock, though its timer has not come."""
        self._timers.catch_up(list(self.hosted.values()))
