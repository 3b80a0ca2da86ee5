"""The command line, `agentorch`: data on stdout, words on stderr.

Exit codes: 0 succeeded, 1 failed, 2 usage or environment, 3 partial, 4 waiting for a person, 130 Ctrl-C.
"""

from agentorch.cli.entry import main

__all__ = ["main"]
