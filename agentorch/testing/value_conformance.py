"""What every journal must do with values: every event type and every JSON value comes back equal."""

import math
from pathlib import Path
from typing import Any, cast

import pytest

from agentorch.core.events import Event, TaskSucceeded
from agentorch.core.policy import Policy
from agentorch.core.task import Task
from agentorch.errors import JournalError
from agentorch.testing.journal_suite import JournalSuite, reported
from agentorch.testing.samples import sample_events


class ValueConformance(JournalSuite):
    """Promise 4: events come back equal to what was appended."""

    async def test_events_of_every_type_come_back_equal(self, tmp_path: Path) -> None:
        """Each event type, with every field set and with none, is read back equal, settings and types included."""
        async with self.opened(tmp_path) as journal:
            events = sample_events("r")
            await journal.append("r", events, after=0)
            read = await journal.read("r", limit=len(events))
            assert [repr(event) for event in read] == [repr(event) for event in events]
            assert read == events
            assert [_settings(event) for event in read] == [_settings(event) for event in events]

    @pytest.mark.parametrize(
        "value",
        [
            None,
            "",
            "snö ☃ \x00 \U0001f600",
            "\udc80 a lone surrogate",
            {"\ud800": [1, {"a": "\udfff"}]},
            [math.inf, -math.inf, 5e-324, -0.0, 0.1 + 0.2],
            2**200,
            {"$blob": {"sha256": "0" * 64, "size": 1}},
            "x" * 70_000,
        ],
        ids=["null", "empty", "unicode", "surrogate", "keys", "floats", "long", "blob", "large"],
    )
    async def test_values_come_back_equal(self, tmp_path: Path, value: Any) -> None:
        """Any JSON value, as Python has it, is read back equal."""
        async with self.opened(tmp_path) as journal:
            event = TaskSucceeded(seq=1, at=0.1, run_id="r", task="a", key="k", output=value)
            await journal.append("r", [event], after=0)
            assert await journal.read("r") == [event]

    async def test_not_a_number_comes_back(self, tmp_path: Path) -> None:
        """NaN, which equals nothing, is NaN again."""
        async with self.opened(tmp_path) as journal:
            await journal.append(
                "r", [TaskSucceeded(seq=1, at=1.0, run_id="r", task="a", key="k", output=[math.nan])], after=0
            )
            (event,) = await journal.read("r")
            assert isinstance(event, TaskSucceeded)
            assert math.isnan(event.output[0])

    @pytest.mark.parametrize("depth", [150, 230, 400])
    async def test_deep_values_come_back_equal(self, tmp_path: Path, depth: int) -> None:
        """Nesting deeper than the fast parser takes is read back equal."""
        value: Any = "bottom"
        for _ in range(depth):
            value = [value]
        async with self.opened(tmp_path) as journal:
            event = TaskSucceeded(seq=1, at=1.0, run_id="r", task="a", key="k", output=value)
            await journal.append("r", [event], after=0)
            assert await journal.read("r") == [event]

    @pytest.mark.parametrize("value", [object(), 10**5000], ids=["object", "endless"])
    async def test_what_cannot_be_read_back_is_not_written(self, tmp_path: Path, value: Any) -> None:
        """A value that is not JSON fails its append, in one line, and the run goes on from where it stood."""
        async with self.opened(tmp_path) as journal:
            events = await self.fill(journal, "r", 2)
            bad = TaskSucceeded(seq=4, at=1.0, run_id="r", task="a", key="k", output=value)
            with pytest.raises(JournalError, match="run r") as caught:
                await journal.append("r", [reported("r", 3), bad], after=2)
            assert "\n" not in str(caught.value)
            assert await journal.read("r") == events
            await journal.append("r", [reported("r", 3)], after=2)


def _settings(event: Event) -> list[frozenset[str]]:
    """Which settings each policy in `event` has set: two policies may be equal and differ in that."""
    fields: list[Any] = list(vars(event).values())
    tasks = [task for each in fields for task in cast("tuple[Any]", each if isinstance(each, tuple) else (each,))]
    policies = [task.policy if isinstance(task, Task) else task for task in tasks]
    return [frozenset(policy.model_fields_set) for policy in policies if isinstance(policy, Policy)]
