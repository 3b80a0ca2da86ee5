"""Five hundred simulated runs: whatever goes wrong with them, what must hold holds.

A seed that fails is printed with the command that replays it; `python -m tests.simulation --seeds 100000` tries more.
Each planted fault of tests/planted/simulation.toml is found by these.
"""

import pytest

from tests.simulation.seeds import CHUNK, is_rough, try_seeds


@pytest.mark.parametrize("chunk", range(10))
@pytest.mark.timeout(90)
def test_no_seed_breaks_a_promise(chunk: int) -> None:
    """Crashes, doubled and delayed messages, failing models, patches, cancellations: no violation."""
    report = try_seeds(chunk * CHUNK, CHUNK, until=1)
    assert report.failures == []
    assert is_rough(report)
