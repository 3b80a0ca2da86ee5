"""`agentorch agents` and its commands."""

from typing import Annotated

import typer

from agentorch.cli import options as opt
from agentorch.cli.grouping import alone, leave_with

agents_app = typer.Typer(help="Show and check agents.", invoke_without_command=True, rich_markup_mode=None)


@agents_app.callback()
def _agents(
    context: typer.Context, agents: opt.Agents = None, project: opt.Project = None, json: opt.Json = False
) -> None:
    if alone(context):
        agents_list(agents=agents, project=project, json=json)


@agents_app.command("list")
def agents_list(agents: opt.Agents = None, project: opt.Project = None, json: opt.Json = False) -> None:
    """List the team: the project's agents, then the built-in ones."""
    from agentorch.cli.agents import list_agents
    from agentorch.cli.settings import setup

    leave_with(list_agents(setup(agents=agents, project=project), json=json))


@agents_app.command("show")
def agents_show(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    agents: opt.Agents = None,
    project: opt.Project = None,
    json: opt.Json = False,
) -> None:
    """Show one agent: what it takes, what it gives, what it needs."""
    from agentorch.cli.agents import show_agent
    from agentorch.cli.settings import setup

    leave_with(show_agent(name, setup(agents=agents, project=project), json=json))


@agents_app.command("validate")
def agents_validate(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Agent files or folders.")],
    json: opt.Json = False,
) -> None:
    """Check agent files; exit code 2 when one cannot be used."""
    from agentorch.cli.agents import validate_agents

    leave_with(validate_agents(paths, json=json))
