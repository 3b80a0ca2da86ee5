"""A header whose type is no text any more."""

import pytest

from agentorch.errors import JournalDamaged
from agentorch.journal.chain import anchor, seal, walk


def test_a_damaged_type_is_named_with_run_and_place() -> None:
    """It is damage like any other."""
    start = anchor("run")
    header, payload = seal(1, start.hash, [b"{}"], [1], [0.0], [b"Run\xffStarted"])

    with pytest.raises(JournalDamaged, match="run run, seq 1"):
        walk("run", [(1, header, payload)], start=start, until=1)
