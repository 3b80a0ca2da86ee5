"""Token counts that never fail, never wait and never touch the network."""

from agentorch.tokens.counting import TokenCount, count, estimate, load

__all__ = ["TokenCount", "count", "estimate", "load"]
