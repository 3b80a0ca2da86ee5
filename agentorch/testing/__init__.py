"""For tests of agents and of adapters: fakes of the model and the server, a clock, and the ports' conformance suites.

The suites are in modules of their own (`agentorch.testing.journal_conformance` and so on), because they need pytest.
"""

from agentorch.testing.clock import LoopClock
from agentorch.testing.fake_openai import Fail, FakeOpenAI, Say
from agentorch.testing.scripted_model import Reply, ScriptedModel, ScriptMiss

__all__ = ["Fail", "FakeOpenAI", "LoopClock", "Reply", "Say", "ScriptMiss", "ScriptedModel"]
