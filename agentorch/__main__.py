"""`python -m agentorch` is the command `agentorch`."""

from agentorch.cli import main

if __name__ == "__main__":
    main()
