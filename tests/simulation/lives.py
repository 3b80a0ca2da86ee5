"""A seed, carried out: life after life of the program on one disk, until the run has ended or stands for good."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from agentorch import Orchestrator, Policy
from agentorch.core.state import FINAL, Request, Status
from agentorch.core.task import Task
from agentorch.errors import AgentorchError
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Withdrawal
from agentorch.ports.planner import Finished, Offer, Patch, PlanReport, PlanRequest
from agentorch.runtime.run import Run
from agentorch.runtime.worker import Worker
from tests.simulation.ports import SimulatedBus, SlowJournal
from tests.simulation.scenario import Scenario, scenario
from tests.simulation.team import SimModel, Work, team
from tests.simulation.virtual import Turns, VirtualLoop
from tests.simulation.world import Process, World

PAUSE = 3.0
"""Seconds between the end of a process and the next one's start."""
MOST_LIVES = 12
START = 1_000_000.0
"""What the clock shows when a seed begins."""
MOMENT = 0.001
"""Seconds by which a timer may come late: less than the loop tells apart."""
LONGEST = 300.0
"""Seconds after which a life that has not ended stands still; of 2,000 sound seeds, the longest life took 76."""


class LoopTime:
    """The clock of a simulated process; it is looked at for each decision, and so counts them."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def now(self) -> float:
        self._turns.turn()
        return START + asyncio.get_running_loop().time()


class Patcher:
    """A planner that patches as the scenario says."""

    name = "patcher"

    def __init__(self, world: World, todo: Scenario) -> None:
        self._world = world
        self._scenario = todo

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        raise AgentorchError("the plan is given")

    async def patch(self, request: PlanRequest) -> PlanReport:
        await asyncio.sleep(self._world.pause(0.2))
        failed = request.failed[0].task or ""
        said = self._scenario.patches[sum(map(ord, failed)) % len(self._scenario.patches)]
        self._world.fault(f"{said} patch", failed)
        if said == "breaks":
            raise RuntimeError("the planner broke")
        return PlanReport(patch=patch_of(said, failed, request.tasks, self._world))


def patch_of(said: str, failed: str, tasks: Sequence[Finished], world: World) -> Patch:
    """Return a patch that deals with a failed task; see `PATCHES`."""
    known = next(one.task for one in tasks if one.task.id == failed)
    before: list[str] = list(known.inputs["before"]) if known.policy.join == "all" else []
    if said == "drops":
        below = [one for one in tasks if failed in one.task.needs]
        if below and not any(one.frozen for one in below):
            return Patch(put=tuple(_without(one.task, failed) for one in below), drop=(failed,))
    more: list[Task] = []
    needs = known.needs
    if said == "grows":
        new = f"{failed}x{world.chance.randint(0, 99)}"
        more.append(Task(new, "plain", inputs={"name": new, "before": []}))
        needs = (*needs, new)
    if said == "touches":
        others = [one.task for one in tasks if one.task.agent in {"plain", "stepper"} and one.task.id != failed]
        other = world.chance.choice(others) if others else known
        more += [replace(other, objective=f"{other.objective} again")] if other is not known else []
    agent = "nobody" if said == "bad" else "plain"
    inputs = {"name": failed, "before": before}
    return Patch(put=(*more, Task(failed, agent, inputs=inputs, needs=needs, policy=known.policy)))


def _without(task: Task, need: str) -> Task:
    before = [reference for reference in task.inputs["before"] if reference != f"${need}"]
    needs = tuple(one for one in task.needs if one != need)
    policy = task.policy.model_copy(update={"join": "settled"}) if isinstance(task.policy.join, int) else task.policy
    return replace(task, inputs=task.inputs | {"before": before}, needs=needs, policy=policy)


@dataclass
class Life:
    """One process."""

    world: World
    todo: Scenario
    loop: VirtualLoop
    process: Process
    acts: int = 0
    slots: int = 0
    run: Run | None = None

    def acted(self) -> None:
        """Count an append or a send; the process dies at the number that the scenario names."""
        self.acts += 1
        number = self.process.number
        if number < len(self.todo.crashes) and self.acts == self.todo.crashes[number] and not self.process.dead:
            self.world.fault("crash")
            self.die()

    def die(self) -> None:
        """Be killed: from here on nothing of this process reaches the world."""
        self.process.dead = True
        self.loop.stop()

    def broke(self, context: dict[str, Any]) -> None:
        """Nobody was there to take an error: so it is told."""
        error = context.get("exception")
        self.world.wrong(f"{context.get('message')}: {type(error).__name__}: {error}")

    def look(self) -> None:
        """All is done that could be done now: nothing that could go on may stand still."""
        hosted = self.run._hosted if self.run is not None else None
        if hosted is None or self.process.dead or hosted.lost is not None or not hosted.accepted:
            return
        state, now = hosted.state, self.loop.now + START
        if state.finished or state.stopped is not None or state.unsigned:
            return
        tasks = state.tasks.values()
        ready = [task.task.id for task in tasks if task.status is Status.READY]
        at_work = sum(task.status is Status.RUNNING and not task.blocked for task in tasks)
        if ready and at_work < min(self.slots, state.policy.parallel):
            self.world.wrong(f"{ready} could start, and only {at_work} are at work")
        late = [task.task.id for task in tasks if task.waiting == "timer" and (task.due or 0) < now - MOMENT]
        if late:
            self.world.wrong(f"{late} should have been started again by now")

    async def live(self) -> None:
        """Carry the run on to where nothing more happens by itself."""
        world, todo = self.world, self.todo
        self.slots = world.chance.choice((2, 4, 32))
        self.loop.set_exception_handler(lambda _, context: self.broke(context))
        self.loop.when_idle = self.look
        journal = SlowJournal(world, self.process, self.acted)
        self.journal = journal
        orchestrator = Orchestrator(
            team(world, self.process, todo),
            model=SimModel(Work(world, self.process, todo)),
            planner=Patcher(world, todo),
            journal=journal,
            bus=SimulatedBus(world, self.process, self.acted, local=todo.local),
            on_request=self._asked if todo.person else None,
            policy=Policy(replans=2, parallel=self.slots),
            clock=LoopTime(self.loop.turns),
        )
        async with orchestrator:
            engine = orchestrator._engine
            assert engine is not None
            engine.new_run_id = self._run_id
            self.run = run = await self._begun(orchestrator)
            self.process.state = run._hosted.state
            helpers = [asyncio.ensure_future(work) for work in self._helpers(orchestrator, run)]
            try:
                async with asyncio.timeout(LONGEST):
                    while not run._hosted.state.finished:
                        await run.outcome()
                        await self._answered(run)
            except TimeoutError:
                open_tasks = {name: one.waiting or str(one.status) for name, one in run._hosted.state.tasks.items()}
                standing = {name: status for name, status in open_tasks.items() if status not in FINAL}
                world.wrong(f"the run did not end in {LONGEST:g} seconds: {standing}")
            finally:
                for helper in helpers:
                    helper.cancel()

    def _run_id(self, now: float) -> str:
        del now
        return f"00000000-0000-7000-8000-{self.world.seed:012x}"

    async def _begun(self, orchestrator: Orchestrator) -> Run:
        found = [record async for record in orchestrator.runs()]
        if found:
            return await orchestrator.take_up(found[0].run_id)
        return await orchestrator.submit(self.todo.plan, budget=self.todo.budget, key="once")

    def _helpers(self, orchestrator: Orchestrator, run: Run) -> list[Any]:
        work: list[Any] = []
        if self.process.number < len(self.todo.worker_dies_after):
            work.append(self._lose_worker(orchestrator, self.todo.worker_dies_after[self.process.number]))
        if self.todo.cancel_after is not None:
            work.append(self._cancel(run, self.todo.cancel_after))
        return work

    async def _lose_worker(self, orchestrator: Orchestrator, after: float) -> None:
        """Let the worker go, as if its machine were lost, and start another one."""
        await asyncio.sleep(after)
        engine = orchestrator._engine
        assert engine is not None
        self.world.fault("worker lost")
        old = engine.worker
        try:
            await old.close()
        finally:  # also when the run has ended by then: what the old one gives back must be somebody's
            backlog = engine.supervisor.scheduler.backlog
            engine.worker = Worker(engine.bus, agents=tuple(engine.team.agents), execute=old._execute, backlog=backlog)
            if self.todo.local and self.run is not None:
                for key in self.run._hosted.stopping:  # no process is without a worker for a while
                    engine.bus.broadcast(Envelope("withdraw", Withdrawal(key)))

    async def _cancel(self, run: Run, after: float) -> None:
        await asyncio.sleep(after)
        self.world.fault("cancel")
        if self.todo.cancel_from_outside:
            await self.journal.request(run.id, "cancel", {"reason": "enough"}, by="the seed", at=self.loop.now)
            return
        with contextlib.suppress(AgentorchError):
            await run.cancel(by="the seed")

    async def _asked(self, request: Request) -> Any:
        """Be a person who is there; a dead process never hears the answer."""
        await asyncio.sleep(self.world.pause(1.0))
        if self.process.dead:
            await asyncio.Event().wait()
        return self._answer(request)

    async def _answered(self, run: Run) -> None:
        """Be the person: answer what waits, late, in any order."""
        waiting = list(run.waiting)
        self.world.chance.shuffle(waiting)
        for request in waiting[: self.world.chance.randint(1, 3)]:
            await asyncio.sleep(self.world.pause(1.0))
            if request.request_id in {one.request_id for one in run.waiting}:
                await run.answer(request.request_id, self._answer(request), by="the seed")

    def _answer(self, request: Request) -> Any:
        if request.kind == "failure":
            said = self.world.chance.choice(("retry", "fail", {"output": "by hand"}))
            if isinstance(said, dict):
                self.world.by_hand.add(request.task or "")
            return said
        if request.kind != "effect":
            return self.world.happens(0.8)
        said = self.world.chance.choice(("done", "done", "retry", "skip"))
        key = request.effect or ""
        if said == "done":
            return {"done": f"paid for {key.split('/')[1]}"}
        if said == "retry":
            self.world.allowed[key] += 1
        return said


def carry_out(seed: int) -> World:
    """Live a seed to its end; what went wrong is in `violations`."""
    log = logging.getLogger("agentorch")
    level = log.level
    log.setLevel(logging.CRITICAL)  # what is injected is worth no warning
    try:
        return _lived(seed)
    finally:
        log.setLevel(level)


def _lived(seed: int) -> World:
    world = World(seed, random.Random(seed + 1))  # chance, not secrecy
    todo = scenario(seed)
    now, turns = 0.0, Turns()
    for number in range(MOST_LIVES):
        loop = VirtualLoop(now, turns)
        world.process = Process(number)
        life = Life(world, todo, loop, world.process)
        try:
            ended = loop.live(life.live())
        except Exception as error:  # noqa: BLE001  # whatever comes out of a life is a finding
            world.wrong(f"life {number}: {type(error).__name__}: {error}")
            ended = True
            world.process.dead = True
        if not ended:
            life.journal.die()
        now = loop.now + PAUSE
        world.process.dead = True
        loop.bury()
        if ended:
            return world
    world.wrong(f"the run did not end in {MOST_LIVES} lives")
    return world
