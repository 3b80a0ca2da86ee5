"""What groups of commands share: being called alone, and leaving with a code."""

import typer


def alone(context: typer.Context) -> bool:
    """Whether a group of commands was called by its own name; options before a command's name are refused."""
    if context.invoked_subcommand is None:
        return True
    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if given:
        words = f"agentorch {context.info_name} {context.invoked_subcommand}"
        raise typer.BadParameter(f"--{given[0]} goes behind the command: {words} --{given[0]}")
    return False


def leave_with(code: int) -> None:
    """End the command with this exit code."""
    if code:
        raise typer.Exit(code)
