"""The runtime: the only code that starts tasks. `Orchestrator` is its face."""
