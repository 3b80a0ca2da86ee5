"""Nothing leaves for the provider after a cancel; `python -m tests.faults.cancelled` tries more moments."""

import logging

import pytest

from tests.faults.cancelled import GRACE, try_moments


def test_no_request_leaves_after_a_cancel(caplog: pytest.LogCaptureFixture) -> None:
    """At each of twelve moments of a run that asks in every way; its teardown takes no longer than its grace."""
    with caplog.at_level(logging.CRITICAL, "agentorch"):
        found = try_moments(12)

    assert found.requests_before_cancel > 100
    assert found.control > 0, "a whole run asks on after each of the moments"
    assert (found.moments, found.requests_after_cancel) == (12, 0)
    assert found.longest_teardown <= GRACE + 0.1
