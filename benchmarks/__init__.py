"""Measurements against everything a user might pick instead, and against the floor: `python -m benchmarks`."""
