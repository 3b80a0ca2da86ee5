"""The commands and their options. A command imports what it needs when it runs, so that `--help` stays fast."""

from pathlib import Path
from typing import Annotated, Any

import typer

from agentorch.cli import options as opt
from agentorch.cli.agents_app import agents_app
from agentorch.cli.grouping import alone, leave_with
from agentorch.cli.journal_app import journal_app

app = typer.Typer(
    name="agentorch",
    help="Give a goal to a team of agents: a checked plan, a journaled run, an answer.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from agentorch.runtime.release import release

        typer.echo(f"agentorch {release()}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")] = (
        False
    ),
) -> None:
    del version


@app.command()
def run(
    goal: Annotated[str | None, typer.Argument(metavar="GOAL", help="What is wanted; - reads it from stdin.")] = None,
    plan: Annotated[Path | None, typer.Option("--plan", metavar="FILE", help="Carry out this plan (YAML, JSON).")] = (
        None
    ),
    files: opt.Files = None,
    model: opt.Model = None,
    agents: opt.Agents = None,
    inputs: opt.Inputs = None,
    journal: opt.Journal = None,
    project: opt.Project = None,
    max_tokens: opt.MaxTokens = None,
    max_money: opt.MaxMoney = None,
    max_calls: opt.MaxCalls = None,
    timeout: opt.Timeout = None,
    parallel: opt.Parallel = None,
    sign_off: Annotated[
        bool, typer.Option("--sign-off", help="Show the plan, and carry it out only when you agree.")
    ] = False,
    json: opt.Json = False,
    no_progress: opt.NoProgress = False,
) -> None:
    """Carry out a goal, or a plan, and print the answer."""
    from agentorch.cli.running import run_goal
    from agentorch.cli.settings import setup

    chosen = setup(model=model, agents=agents, files=files, journal=journal, project=project, parallel=parallel)
    limits: dict[str, Any] = {"max_tokens": max_tokens, "max_money": max_money, "max_calls": max_calls}
    leave_with(
        run_goal(
            goal,
            plan,
            chosen,
            inputs=inputs or (),
            limits=limits,
            timeout=timeout,
            sign_off=sign_off,
            json=json,
            quiet=no_progress,
        )
    )


@app.command()
def chat(
    message: Annotated[
        str | None, typer.Argument(metavar="[MESSAGE]", help="What to say first; - reads one message from stdin.")
    ] = None,
    once: Annotated[
        str | None, typer.Option("--print", "-p", metavar="MESSAGE", help="Say this alone, print the answer, and end.")
    ] = None,
    go_on: Annotated[bool, typer.Option("--continue", "-c", help="Take up the last chat.")] = False,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="ID", help="Take up a chat, by its id or the beginning of it.")
    ] = None,
    files: opt.Files = None,
    model: opt.Model = None,
    agents: opt.Agents = None,
    journal: opt.Journal = None,
    project: opt.Project = None,
    max_tokens: opt.MaxTokens = None,
    max_money: opt.MaxMoney = None,
    max_calls: opt.MaxCalls = None,
    parallel: opt.Parallel = None,
    json: opt.Json = False,
    no_progress: opt.NoProgress = False,
) -> None:
    """Hold a conversation in which every turn is a run."""
    from agentorch.cli.chat.holding import hold_chat
    from agentorch.cli.settings import setup

    chosen = setup(model=model, agents=agents, files=files, journal=journal, project=project, parallel=parallel)
    limits: dict[str, Any] = {"max_tokens": max_tokens, "max_money": max_money, "max_calls": max_calls}
    leave_with(
        hold_chat(
            chosen,
            message=message,
            once=once,
            go_on=go_on,
            resume=resume,
            limits=limits,
            json=json,
            quiet=no_progress,
        )
    )


@app.command()
def plan(
    goal: Annotated[str | None, typer.Argument(metavar="GOAL", help="What is wanted; - reads it from stdin.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "--plan", metavar="FILE", help="Check this plan file instead.")
    ] = None,
    files: opt.Files = None,
    model: opt.Model = None,
    agents: opt.Agents = None,
    inputs: opt.Inputs = None,
    project: opt.Project = None,
    json: opt.Json = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="A Mermaid flowchart on stdout.")] = False,
) -> None:
    """Show the plan for a goal without running it, or check a plan file."""
    from agentorch.cli.planning import show_plan
    from agentorch.cli.settings import setup

    chosen = setup(model=model, agents=agents, files=files, journal="memory:", project=project)
    leave_with(show_plan(goal, file, chosen, inputs=inputs or (), json=json, mermaid=mermaid))


@app.command()
def why(
    run: opt.RunName,
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task's id.")],
    journal: opt.Journal = None,
    json: opt.Json = False,
) -> None:
    """Explain why a task stands as it does: its cause chain out of the journal."""
    from agentorch.cli.history import why_task
    from agentorch.cli.settings import setup

    leave_with(why_task(run, task, setup(journal=journal), json=json))


@app.command()
def resume(
    run: opt.RunName,
    files: opt.Files = None,
    model: opt.Model = None,
    agents: opt.Agents = None,
    journal: opt.Journal = None,
    project: opt.Project = None,
    parallel: opt.Parallel = None,
    restart_changed: opt.RestartChanged = False,
    accept_changes: opt.AcceptChanges = False,
    json: opt.Json = False,
    no_progress: opt.NoProgress = False,
) -> None:
    """Take up a run where its journal ends; a finished one gives its outcome."""
    from agentorch.cli.running import changes_to, resume_run
    from agentorch.cli.settings import setup

    chosen = setup(model=model, agents=agents, files=files, journal=journal, project=project, parallel=parallel)
    changed = changes_to(restart=restart_changed, accept=accept_changes)
    leave_with(resume_run(run, chosen, changed=changed, json=json, quiet=no_progress))


@app.command()
def cancel(
    run: opt.RunName,
    reason: Annotated[str, typer.Option("--reason", metavar="WORDS", help="Why; it stands in the journal.")] = "",
    journal: opt.Journal = None,
    json: opt.Json = False,
) -> None:
    """Stop a run, whoever carries it out; what is done is kept."""
    from agentorch.cli.cancelling import cancel_run
    from agentorch.cli.settings import setup

    leave_with(cancel_run(run, setup(journal=journal), reason=reason, json=json))


@app.command()
def approve(
    run: opt.RunName,
    task: Annotated[
        str | None, typer.Argument(metavar="[TASK]", help="The task that waits, or a request's id; none lists them.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree.")] = False,
    no: Annotated[bool, typer.Option("--no", help="Refuse.")] = False,
    done: Annotated[bool, typer.Option("--done", help="The effect has happened, or the output is given here.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Do it again.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Give the task up.")] = False,
    value: Annotated[
        str | None,
        typer.Option("--value", metavar="JSON", help="An answer, or with --done the result: JSON or text."),
    ] = None,
    plan: Annotated[Path | None, typer.Option("--plan", metavar="FILE", help="The plan, as edited.")] = None,
    journal: opt.Journal = None,
    json: opt.Json = False,
) -> None:
    """Answer what a run waits for; with no choice, show it."""
    from agentorch.cli.requesting import answer_run
    from agentorch.cli.settings import setup

    choices = {"yes": yes, "no": no, "done": done, "retry": retry, "skip": skip}
    leave_with(answer_run(run, task, setup(journal=journal), choices=choices, value=value, plan=plan, json=json))


@app.command()
def fork(
    run: opt.RunName,
    at: Annotated[int, typer.Option("--at", metavar="SEQ", help="The last event of RUN that counts.")],
    outputs: Annotated[
        list[str] | None, typer.Option("--set", metavar="TASK=JSON", help="An output in the place of the task's own.")
    ] = None,
    allow_effects: Annotated[
        bool, typer.Option("--allow-effects", help="Have effects, once only, that RUN has not had.")
    ] = False,
    files: opt.Files = None,
    model: opt.Model = None,
    agents: opt.Agents = None,
    journal: opt.Journal = None,
    project: opt.Project = None,
    parallel: opt.Parallel = None,
    json: opt.Json = False,
    no_progress: opt.NoProgress = False,
) -> None:
    """Begin a new run with what RUN's journal says up to SEQ, and carry it out."""
    from agentorch.cli.forks import fork_run
    from agentorch.cli.settings import setup

    chosen = setup(model=model, agents=agents, files=files, journal=journal, project=project, parallel=parallel)
    leave_with(fork_run(run, at, outputs or (), chosen, effects=allow_effects, json=json, quiet=no_progress))


@app.command()
def init(
    folder: Annotated[str, typer.Argument(metavar="[DIR]", help="Where; here, if nothing is said.")] = ".",
) -> None:
    """Make a project: an agent in Python, one in Markdown, their tests, and its settings."""
    from agentorch.cli.founding import found

    leave_with(found(folder))


@app.command()
def doctor(
    model: opt.Model = None,
    journal: opt.Journal = None,
    project: opt.Project = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask the models what they support, in three short calls each.")
    ] = False,
    json: opt.Json = False,
) -> None:
    """Check what is configured, with a remedy for each thing that is not right."""
    from agentorch.cli.doctor import examine

    leave_with(examine(model=model, journal=journal, project=project, probe=probe, json=json))


app.add_typer(agents_app, name="agents")
app.add_typer(journal_app, name="journal")

runs_app = typer.Typer(help="Look at the runs of the journal.", invoke_without_command=True, rich_markup_mode=None)
app.add_typer(runs_app, name="runs")


@runs_app.callback()
def _runs(
    context: typer.Context,
    status: opt.Status = None,
    limit: opt.Limit = 20,
    journal: opt.Journal = None,
    json: opt.Json = False,
) -> None:
    if alone(context):
        runs_ls(status=status, limit=limit, journal=journal, json=json)


@runs_app.command("ls")
def runs_ls(
    status: opt.Status = None,
    limit: opt.Limit = 20,
    journal: opt.Journal = None,
    json: opt.Json = False,
) -> None:
    """List runs, newest first."""
    from agentorch.cli.history import list_runs
    from agentorch.cli.settings import setup

    leave_with(list_runs(setup(journal=journal), status=status, limit=limit, json=json))


@runs_app.command("show")
def runs_show(run: opt.RunName, journal: opt.Journal = None, json: opt.Json = False) -> None:
    """Show one run: its goal, its tasks, its answer, what went wrong."""
    from agentorch.cli.history import show_run
    from agentorch.cli.settings import setup

    leave_with(show_run(run, setup(journal=journal), json=json))


@runs_app.command("watch")
def runs_watch(run: opt.RunName, journal: opt.Journal = None, json: opt.Json = False) -> None:
    """Watch a run that another process carries out, up to its end; Ctrl-C stops watching only."""
    from agentorch.cli.history import watch_run
    from agentorch.cli.settings import setup

    leave_with(watch_run(run, setup(journal=journal), json=json))


@runs_app.command("export")
def runs_export(run: opt.RunName, journal: opt.Journal = None) -> None:
    """Write every event of a run on stdout, a line of JSON each."""
    from agentorch.cli.history import export_run
    from agentorch.cli.settings import setup

    leave_with(export_run(run, setup(journal=journal)))
