"""Kills a scripted run at every journal append and every bus send, and carries it on each time.

    python -m tests.faults.kills                  # every point of every shape, and a quarter of them twice
    python -m tests.faults.kills --every 9        # a ninth of them
    python -m tests.faults.kills --random 50      # at any moment, by a seed, two processes on one journal

The figures go to the standard output as JSON.

1. A point is a shape of the run, a place, and how often it was passed. Points are counted up until a process comes to
   its end without being killed: that is all of them.
2. After its kill the run is taken up by another process. In the second round that one is killed too, at a point that
   the first point chooses, and a third one comes.
3. The outcome must be that of the same run left in peace; `findings` says what else is looked at.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import count
from pathlib import Path
from typing import Any, Self

from tests.faults import child
from tests.faults.cutting import PLACES, Point, Where
from tests.faults.findings import Findings, look
from tests.faults.story import SHAPES, Shape

Story = Callable[..., tuple[int, Findings]]
"""Carries a story out under kills: `one_story`."""
PATIENCE = 60.0
"""Seconds after which a process that neither ends nor is killed counts as hanging."""


@dataclass(slots=True)
class Tally:
    """The figures of many stories."""

    points: int = 0
    """Distinct kill points that were reached."""
    places: int = 0
    """Places to be killed at, over all shapes."""
    places_done: int = 0
    """Those at which a process came in the end past the last point: there is none left."""
    kills: int = 0
    passed: int = 0
    """Stories that came to the same end, with every promise kept."""
    stories: int = 0
    commits: int = 0
    committed_twice: int = 0
    fired: int = 0
    """Effects that may happen once."""
    fired_twice: int = 0
    calls: int = 0
    in_flight: int = 0
    """Model calls made again that were in flight at the kill."""
    repeated: int = 0
    """Model calls made again whose answer the agent had had."""
    failures: list[str] = field(default_factory=list[str])

    def __iadd__(self, other: "Tally") -> Self:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        return self

    def add(self, name: str, findings: Findings) -> None:
        """Count one story."""
        self.stories += 1
        self.commits += findings.commits
        self.fired += findings.fired
        self.committed_twice += len(findings.committed_twice)
        self.fired_twice += len(findings.fired_twice)
        self.calls += findings.calls
        self.in_flight += findings.in_flight
        self.repeated += len(findings.repeated)
        if findings.clean:
            self.passed += 1
        else:
            self.failures.append(f"{name}: {findings}")


def wait_for(process: int, *, patience: float = PATIENCE) -> bool:
    """Wait for a child; return whether it was killed. One that hangs is killed, and TimeoutError raised."""
    ends = time.monotonic() + patience
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.WIFSIGNALED(status)
        if time.monotonic() > ends:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            raise TimeoutError(f"process {process} neither ended nor was killed in {patience:g} s")
        time.sleep(0.001)


def killed_at(folder: Path, shape: Shape, point: Point | None) -> bool:
    """Carry the story on until `point` in a process of its own; return whether it was killed there."""
    return wait_for(child.start(folder, shape, point))


def in_peace(shape: Shape) -> dict[str, Any]:
    """Return what comes of the story when nobody is killed."""
    with tempfile.TemporaryDirectory(prefix="agentorch-story-") as name:
        killed_at(Path(name), shape, None)
        findings = look(Path(name), calls=shape.calls)
    if findings.outcome is None or not findings.clean:
        raise AssertionError(f"the story in peace: {findings}")
    return findings.outcome


def one_story(
    shape: Shape, point: Point, expected: dict[str, Any], *, again: Point | None = None
) -> tuple[int, Findings]:
    """Kill the story at `point`, and at `again` when it is taken up; return the kills, and what is found at its end.

    A process that was not killed must have brought the story to its end by itself.
    """
    with tempfile.TemporaryDirectory(prefix="agentorch-story-") as name:
        folder = Path(name)
        kills = int(killed_at(folder, shape, point))
        if kills and again is not None:
            kills += killed_at(folder, shape, again)
        alone = (folder / "result.json").exists()
        if not alone:
            killed_at(folder, shape, None)
        findings = look(folder, expected, calls=shape.calls)
        if not (kills or alone):
            findings.problems.append("the process was not killed, and ended without an outcome")
        return kills, findings


def enumerate_kills(
    shape: Shape, where: Where, expected: dict[str, Any], *, every: int, twice: bool, story: Story = one_story
) -> Tally:
    """Kill at every `every`-th time that the shape comes past a place, until it comes to its end before that."""
    tally = Tally()
    for number in count(1, every):
        point = Point(where, number)
        again = _second(shape, point) if twice else None
        kills, findings = story(shape, point, expected, again=again)
        if not kills and findings.clean:
            tally.places_done += not twice
            return tally
        tally.kills += kills
        tally.add(f"{shape.name}, {point}" + (f", then {again}" if again else ""), findings)
        if not kills:
            return tally
        tally.points += not twice
    raise AssertionError("a count has no end")


def _second(shape: Shape, point: Point) -> Point:
    chance = random.Random(f"{shape.name} {point}")
    return Point(chance.choice(PLACES), chance.randint(1, 12))


def random_kills(seed: int, shape: Shape, expected: dict[str, Any]) -> tuple[int, Findings]:
    """Let two processes have one journal, and kill one of them at any moment, again and again, until one ends."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="agentorch-story-") as name:
        folder = Path(name)
        kills = 0
        living = [child.start(folder, shape), child.start(folder, shape)]
        while not (folder / "result.json").exists() and kills < shape.kills:
            time.sleep(chance.uniform(0.0, 0.25))
            victim = living.pop(chance.randrange(2))
            os.kill(victim, signal.SIGKILL)
            kills += wait_for(victim)
            living.append(child.start(folder, shape))
        for process in living:
            wait_for(process)
        return kills, look(folder, expected, calls=shape.calls)


def kill_everywhere(tally: Tally, *, every: int, rounds: int, say: Callable[[str], object]) -> None:
    """Take every `every`-th point of each shape: killed once in the first round; a quarter of them twice in the second.

    As many are under way as there are cores; each worker forks its stories itself, and has no threads.
    """
    expected = {shape.name: in_peace(shape) for shape in SHAPES}
    tally.places = len(SHAPES) * len(PLACES)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("fork")) as pool:
        parts = {
            pool.submit(
                enumerate_kills,
                shape,
                where,
                expected[shape.name],
                every=every * (4 if twice else 1),
                twice=bool(twice),
            ): shape
            for twice in range(rounds)
            for shape in reversed(SHAPES)
            for where in PLACES
        }
        for done in as_completed(parts):
            tally += done.result()
            say(f"{parts[done].name}: {tally.passed} of {tally.stories} so far\n")


def kill_at_random(tally: Tally, *, stories: int, seed: int, say: Callable[[str], object]) -> None:
    """Carry out so many stories under random kills, from that seed on."""
    shapes = [replace(shape, kills=12) for shape in SHAPES]
    expected = {shape.name: in_peace(shape) for shape in shapes}
    for chosen in range(seed, seed + stories):
        shape = shapes[chosen % len(shapes)]
        kills, findings = random_kills(chosen, shape, expected[shape.name])
        tally.kills += kills
        tally.add(f"seed {chosen}, {shape.name}", findings)
        say(f"seed {chosen}: {tally.passed} of {tally.stories} so far\n")


def main(arguments: list[str]) -> int:
    """Kill, tell, and return 1 when a promise was not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kills", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="of the points of each place, take each such")
    parser.add_argument("--once", action="store_true", help="leave out the second round, of runs killed twice")
    parser.add_argument("--random", type=int, default=0, help="so many stories killed at random, instead")
    parser.add_argument("--seed", type=int, default=1, help="the first seed of --random")
    given = parser.parse_args(arguments)
    tally = Tally()
    if given.random:
        kill_at_random(tally, stories=given.random, seed=given.seed, say=sys.stderr.write)
    else:
        kill_everywhere(tally, every=given.every, rounds=1 if given.once else 2, say=sys.stderr.write)
    sys.stdout.write(json.dumps(asdict(tally) | {"every": given.every}, indent=2) + "\n")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
