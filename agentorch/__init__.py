"""Coordinate teams of AI agents: a goal becomes a checked plan, a journaled run, an answer."""
