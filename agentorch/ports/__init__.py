"""Protocols: what the runtime needs of a journal, a bus, a model, a planner, a blob store and a clock."""
