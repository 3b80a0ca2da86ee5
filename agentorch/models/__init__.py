"""Language models: one adapter for every OpenAI-compatible server, and what stands around it.

Importing this package loads neither `openai` nor a price list; the first call does.
"""

from agentorch.models.caller import CALLER, WAITING, Caller
from agentorch.models.gate import Limits
from agentorch.models.governed import GovernedModel
from agentorch.models.governor import Governor, Governors
from agentorch.models.openai_model import OpenAIModel
from agentorch.models.opening import open_model
from agentorch.models.pricing import Price, Prices
from agentorch.models.quirks import Form, Quirks, quirks_for

__all__ = [
    "CALLER",
    "WAITING",
    "Caller",
    "Form",
    "GovernedModel",
    "Governor",
    "Governors",
    "Limits",
    "OpenAIModel",
    "Price",
    "Prices",
    "Quirks",
    "open_model",
    "quirks_for",
]
