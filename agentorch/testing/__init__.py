"""For tests of agents and of adapters: fakes of the model and the server, clocks, faults, conformance suites.

The fixtures of the pytest plugin (`make_orchestrator`, `scripted_model`, `fake_openai`, `virtual_clock`) are made of
these. The suites are in modules of their own (`agentorch.testing.journal_conformance` and so on): they need pytest.
"""

from agentorch.core.usage import Usage
from agentorch.ports.model import ToolCall
from agentorch.testing.chance import Chance, SeededChance
from agentorch.testing.clock import LoopClock, VirtualClock
from agentorch.testing.fake_openai import Fail, FakeOpenAI, Say
from agentorch.testing.faulty_bus import FaultyBus
from agentorch.testing.faulty_journal import FaultyJournal
from agentorch.testing.faulty_model import FaultyModel, crashing
from agentorch.testing.kit import MakeOrchestrator
from agentorch.testing.network import NetworkBlocked
from agentorch.testing.recorded_model import RecordedModel, RecordingMiss
from agentorch.testing.replays import assert_replays
from agentorch.testing.scripted_model import Reply, ScriptedModel, ScriptMiss

__all__ = [
    "Chance",
    "Fail",
    "FakeOpenAI",
    "FaultyBus",
    "FaultyJournal",
    "FaultyModel",
    "LoopClock",
    "MakeOrchestrator",
    "NetworkBlocked",
    "RecordedModel",
    "RecordingMiss",
    "Reply",
    "Say",
    "ScriptMiss",
    "ScriptedModel",
    "SeededChance",
    "ToolCall",
    "Usage",
    "VirtualClock",
    "assert_replays",
    "crashing",
]
