"""No event loop lies about before the first test."""

import asyncio

# looptime asks for "the current loop" even around a test without one; where none was ever set, Python makes one that
# nobody closes, and its ResourceWarning fails whichever test runs when the collector finds it.
asyncio.set_event_loop(None)
