"""`agentorch why`: golden outputs, one for each way in which a task can come to stand as it does."""

import pytest
from inline_snapshot import snapshot

from agentorch.core import inbox
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.policy import Policy
from agentorch.core.task import Task
from agentorch.core.usage import Usage
from agentorch.errors import ConfigurationError
from agentorch.runtime.why import explain
from tests.cli.stories import Story, chain


def test_succeeded_plainly() -> None:
    """A healthy task: planned, ready, started, done."""
    story = Story(*chain())
    story.succeed("load")
    story.succeed("merge")
    assert story.why("merge") == snapshot("""\

#7 'merge' succeeded at the first attempt
  #2 in the plan that was given: agent 'loader'; it needs 'load'
  #5 ready: 'load' succeeded
  #6 started: attempt 1 with 'loader'
""")


def test_succeeded_after_a_repair() -> None:
    """The rejected output and the repair are named."""
    story = Story(*chain(agent="poet"))
    story.fail("load", "invalid", "it must rhyme", output="ode")
    story.succeed("load")
    assert story.why("load") == snapshot("""\

#8 'load' succeeded after 1 repair
  #2 in the plan that was given: agent 'poet'
  #4 started: attempt 1 with 'poet'
  #5 attempt 1 failed (invalid): it must rhyme
  #6 repair: 'poet' gets the output, its schema and the problems
  #7 started: attempt 2 with 'poet'
""")


def test_succeeded_after_a_retry() -> None:
    """The crash and the fresh start are named."""
    story = Story(*chain())
    story.fail("load")
    story.succeed("load")
    assert story.why("load") == snapshot("""\

#8 'load' succeeded at attempt 2
  #2 in the plan that was given: agent 'loader'
  #4 started: attempt 1 with 'loader'
  #5 attempt 1 failed (crash): disk full
  #6 retry: 'loader' starts afresh
  #7 started: attempt 2 with 'loader'
""")


def test_succeeded_with_the_next_model() -> None:
    """A refusal goes to the next model."""
    story = Story(*chain(agent="poet"))
    story.fail("load", "refused", "I cannot help with that")
    story.succeed("load")
    assert story.why("load") == snapshot("""\

#8 'load' succeeded with model number 2
  #2 in the plan that was given: agent 'poet'
  #4 started: attempt 1 with 'poet'
  #5 attempt 1 failed (refused): I cannot help with that
  #6 next model: number 2 of 'poet'
  #7 started: attempt 2 with 'poet'
""")


def test_succeeded_with_a_fallback() -> None:
    """The agent that stood in is named."""
    story = Story(*chain(attempts=1, fallback=("spare",)))
    story.fail("load")
    story.succeed("load")
    assert story.why("load") == snapshot("""\

#8 'load' succeeded with 'spare' in the place of 'loader'
  #2 in the plan that was given: agent 'loader'
  #4 started: attempt 1 with 'loader'
  #5 attempt 1 failed (crash): disk full
  #6 fallback: 'spare' in the place of 'loader'
  #7 started: attempt 2 with 'spare'
""")


def test_failed_with_all_rungs_used() -> None:
    """Every rung that was taken, and the last failure."""
    story = Story(*chain(fallback=("spare",)))
    for _ in range(4):
        story.fail("load")
    assert story.why("load") == snapshot("""\

#15 'load' failed: disk full; before that, 'loader' failed: disk full
  #2 in the plan that was given: agent 'loader'
  #4 started: attempt 1 with 'loader'
  #5 attempt 1 failed (crash): disk full
  #6 retry: 'loader' starts afresh
  #7 started: attempt 2 with 'loader'
  #8 attempt 2 failed (crash): disk full
  #9 fallback: 'spare' in the place of 'loader'
  #10 started: attempt 3 with 'spare'
  #11 attempt 3 failed (crash): disk full
  #12 retry: 'spare' starts afresh
  #13 started: attempt 4 with 'spare'
  #14 attempt 4 failed (crash): disk full
""")


def test_skipped_because_a_grandparents_fallback_failed() -> None:
    """The chain goes down to the first cause."""
    story = Story(*chain(attempts=1, fallback=("spare",)))
    story.fail("load")
    story.fail("load", problem="spare disk full")
    story.fail("load", problem="spare disk full")
    assert story.why("report") == snapshot("""\

#9 'report' was skipped: 'merge' brought nothing
  #2 in the plan that was given: agent 'loader'; it needs 'merge'
  #9 'merge' was skipped: 'load' brought nothing
    #9 'load' failed: spare disk full; before that, 'loader' failed: disk full
      #2 in the plan that was given: agent 'loader'
      #4 started: attempt 1 with 'loader'
      #5 attempt 1 failed (crash): disk full
      #6 fallback: 'spare' in the place of 'loader'
      #7 started: attempt 2 with 'spare'
      #8 attempt 2 failed (crash): spare disk full
""")


def test_cancelled_with_the_run() -> None:
    """Who cancelled, and why."""
    story = Story(*chain())
    story.start("load")
    story.tell(inbox.Cancel(story.tick(), "ada", "wrong goal"))
    assert story.why("load") == snapshot("""\

#8 'load' was cancelled: wrong goal
  #2 in the plan that was given: agent 'loader'
  #4 started: attempt 1 with 'loader'
  #5 ada cancelled the run: wrong goal
""")


def test_cancelled_because_another_task_takes_the_run() -> None:
    """The task whose failure took the run is named."""
    story = Story(Task("a", "loader", policy=Policy(on_failure="fail_run", attempts=1)), Task("b", "loader"))
    story.start("b")
    story.fail("a")
    assert story.why("b") == snapshot("""\

#9 'b' was cancelled: 'a' failed
  #2 in the plan that was given: agent 'loader'
  #4 started: attempt 1 with 'loader'
  #7 'a' failed and takes the run with it: disk full
""")


def test_waits_for_approval() -> None:
    """The question that is open."""
    story = Story(Task("send", "keeper"))
    story.start("send")
    assert story.why("send") == snapshot("""\

#4 'send' waits: a person has to approve it
  #2 in the plan that was given: agent 'keeper'
  #4 a person was asked (approve:send:1:1:keeper): Start 'send' with agent 'keeper'?
""")


def test_waits_for_a_replan() -> None:
    """Below it stands what made it give up; a dependent says what it waits for."""
    story = Story(*chain(attempts=1), planner="model")
    story.fail("load")
    assert story.why("merge") == snapshot("""\

#2 'merge' has not started: it needs 'load'
  #2 in the plan that was given: agent 'loader'; it needs 'load'
  #6 'load' waits: its own remedies are used up, and the planner is asked for a patch
    #2 in the plan that was given: agent 'loader'
    #4 started: attempt 1 with 'loader'
    #5 attempt 1 failed (crash): disk full
    #6 gave up: disk full
    #7 the planner was asked for a patch (re-plan 1)
""")


def test_waits_for_a_timer() -> None:
    """A transient failure, and when it is tried again."""
    story = Story(*chain())
    key = story.start("load")
    story.tell(inbox.Fail(story.tick(), key, FailureKind.TRANSIENT, ("429 slow down",), retry_after=20.0))
    assert story.why("load") == snapshot("""\

#6 'load' waits: its next try is due later
  #2 in the plan that was given: agent 'loader'
  #4 started: attempt 1 with 'loader'
  #5 attempt 1 failed (transient): 429 slow down
  #6 the same attempt is dispatched again, 20.0 s later
""")


def test_put_in_by_a_patch() -> None:
    """The patch, and the task whose giving up led to it."""
    story = Story(*chain(attempts=1), planner="model")
    story.fail("load")
    story.patch(Task("load", "spare"))
    story.succeed("load")
    assert story.why("load") == snapshot("""\

#10 'load' succeeded at the first attempt
  #2 in the plan that was given: agent 'loader'
  #4 started: attempt 1 with 'loader'
  #5 attempt 1 failed (crash): disk full
  #6 gave up: disk full
  #7 the planner was asked for a patch (re-plan 1)
  #8 replaced by a patch (revision 2, by the model) because 'load' gave up: agent 'spare'
  #9 started: attempt 1 with 'spare'
""")


def test_dropped_by_a_patch() -> None:
    """A task that is no longer in the plan can still be asked about."""
    story = Story(*chain(attempts=1), planner="model")
    story.fail("load")
    story.patch(Task("fetch", "spare"), Task("merge", "loader", needs=("fetch",)), drop=("load",))
    assert story.why("load") == snapshot("""\

#8 'load' was dropped from the plan
  #2 in the plan that was given: agent 'loader'
  #4 started: attempt 1 with 'loader'
  #5 attempt 1 failed (crash): disk full
  #6 gave up: disk full
  #7 the planner was asked for a patch (re-plan 1)
  #8 dropped by a patch (revision 2, by the model) because 'load' gave up
""")


def test_kept_by_early_cutoff() -> None:
    """A patch reset what it needs; its inputs came out the same, so it did not run again."""
    flaky = Policy(attempts=1)
    story = Story(
        Task("a", "loader"),
        Task("b", "loader", inputs={"a": "$a"}),
        Task("c", "loader", policy=flaky),
        Task("d", "loader", needs=("b", "c")),
        planner="model",
    )
    story.succeed("a")
    story.succeed("b")
    story.fail("c")
    story.patch(Task("a", "spare"), Task("c", "spare"))
    story.succeed("a")
    story.start("b")
    assert story.why("b") == snapshot("""\

#15 'b' succeeded
  #2 in the plan that was given: agent 'loader'; it needs 'a'
  #5 ready: 'a' succeeded
  #6 started: attempt 1 with 'loader'
  #7 succeeded
  #12 to be looked at again: a patch (revision 2, by the model) changed what it needs
  #14 ready: 'a' succeeded
  #15 kept: its spec and its inputs came out as before, so its output stands
""")


def test_a_late_outcome_changes_nothing() -> None:
    """An outcome for a key that is not pending any more."""
    story = Story(*chain())
    key = story.fail("load")
    story.tell(inbox.Succeed(story.tick(), key, "too late", Usage(input_tokens=5, calls=1)))
    story.succeed("load")
    assert story.why("load") == snapshot("""\

#9 'load' succeeded at attempt 2
  #2 in the plan that was given: agent 'loader'
  #4 started: attempt 1 with 'loader'
  #5 attempt 1 failed (crash): disk full
  #6 retry: 'loader' starts afresh
  #7 an outcome of attempt 1 came late: its use counts, nothing else changes
  #8 started: attempt 2 with 'loader'
""")


def test_never_started_because_the_run_stopped() -> None:
    """A wrong key stops the run: what was ready says so."""
    story = Story(Task("a", "poet"), Task("b", "poet"))
    story.fail("a", "unconfigured", "401: the key is refused")
    assert story.why("b") == snapshot("""\

#7 'b' has not started: the run stands still: 401: the key is refused
  #2 in the plan that was given: agent 'poet'
  #7 the run stopped, to be resumed: 401: the key is refused
""")


def test_the_task_that_stopped_the_run() -> None:
    """Nothing was dispatched again: it goes on when the run does."""
    story = Story(Task("a", "poet"))
    story.fail("a", "unconfigured", "401: the key is refused")
    assert story.why("a") == snapshot("""\

#7 'a' has not started: the run stands still: 401: the key is refused
  #2 in the plan that was given: agent 'poet'
  #4 started: attempt 1 with 'poet'
  #5 attempt 1 failed (unconfigured): 401: the key is refused
  #6 the same attempt goes on when the run is resumed
  #7 the run stopped, to be resumed: 401: the key is refused
""")


def test_brought_to_its_end_by_the_clock() -> None:
    """The run's time was up."""
    story = Story(*chain())
    story.start("load")
    story.tell(inbox.Abort(story.tick(), Problem("budget", "the run's 60 seconds are up")))
    assert story.why("report") == snapshot("""\

#6 'report' was cancelled: the run's 60 seconds are up
  #2 in the plan that was given: agent 'loader'; it needs 'merge'
  #5 the run was brought to its end: the run's 60 seconds are up
""")


def test_a_task_that_never_was() -> None:
    """The nearest name is offered."""
    story = Story(*chain())
    with pytest.raises(ConfigurationError) as raised:
        explain(story.events, "raport")
    assert str(raised.value) == "run r1 has no task 'raport'; did you mean 'report'?"
