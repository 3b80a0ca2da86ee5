"""A project of somebody's own, with agents and tests: what pytest says of them there."""

from collections.abc import Callable, Sequence

import pytest

AGENTS = """
from agentorch import Agent, agent

poet = Agent("poet", description="Writes odes.", prompt="Write an ode to the topic.")


@agent(description="Takes its time.")
async def sleeper() -> str:
    import anyio

    await anyio.sleep(3600)
    return "awake"
"""

UNUSED = tuple(f"-pno:{name}" for name in ("hypothesispytest", "inline_snapshot", "nbmake", "xdist", "pytest_cov"))
"""Plugins that no such project has, and that take most of the time of a pytest's start."""
PLUGIN = ("-p", "no:agentorch", "-p", "agentorch.pytest_plugin", *UNUSED)
"""As the entry point loads it, also where the package was installed before it had one."""

Pytest = Callable[..., pytest.RunResult]


def pytest_in(pytester: pytest.Pytester, tests: str, *, mode: str = "strict", options: Sequence[str] = ()) -> Pytest:
    """Write the project; return what runs its tests."""
    pytester.makepyfile(team=AGENTS, test_team=tests)
    pytester.makeini(f"""
        [pytest]
        asyncio_mode = {mode}
        asyncio_default_fixture_loop_scope = function
        addopts = --strict-markers --strict-config -p no:randomly
        filterwarnings = error
        pythonpath = .
        """)
    return lambda *more: pytester.runpytest_subprocess(*PLUGIN, *options, *more)
