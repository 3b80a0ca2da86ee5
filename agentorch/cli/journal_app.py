"""`agentorch journal` and its options."""

from pathlib import Path
from typing import Annotated

import typer

from agentorch.cli import options as opt
from agentorch.cli.grouping import leave_with

journal_app = typer.Typer(
    help="Check, copy and shrink the journal.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)


@journal_app.command("verify")
def journal_verify(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="A run's id, its beginning, or last.")] = None,
    journal: opt.Journal = None,
    json: opt.Json = False,
) -> None:
    """Check every run's chain, its blobs and its requests; exit code 2 when anything is wrong."""
    from agentorch.cli.journal_work import verify_journal
    from agentorch.cli.settings import setup

    leave_with(verify_journal(run, setup(journal=journal), json=json))


@journal_app.command("export")
def journal_export(
    runs: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="These runs; all by default.")] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="A new file; stdout by default.")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Copies of runs that somebody carries out, too; they must not go on twice.")
    ] = False,
    journal: opt.Journal = None,
    json: opt.Json = False,
) -> None:
    """Write runs as JSON lines that `import` takes into another journal, equal to the byte."""
    from agentorch.cli.journal_work import export_journal
    from agentorch.cli.settings import setup

    leave_with(export_journal(runs or (), to, setup(journal=journal), live=live, json=json))


@journal_app.command("import")
def journal_import(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An exported journal; - reads it from stdin.")],
    live: Annotated[
        bool, typer.Option("--live", help="Runs that were carried out when they were exported, too: that has ended.")
    ] = False,
    journal: opt.Journal = None,
    json: opt.Json = False,
) -> None:
    """Take exported runs in, each checked; a run that is there is never overwritten."""
    from agentorch.cli.journal_work import import_journal
    from agentorch.cli.settings import setup

    leave_with(import_journal(file, setup(journal=journal), live=live, json=json))


@journal_app.command("compact")
def journal_compact(
    before: Annotated[
        float | None, typer.Option("--before", min=0, metavar="DAYS", help="Finished runs untouched for so long.")
    ] = None,
    runs: Annotated[list[str] | None, typer.Option("--run", metavar="RUN", help="This finished run.")] = None,
    journal: opt.Journal = None,
    json: opt.Json = False,
) -> None:
    """Drop the events of finished runs, keep their headers, and make the file smaller."""
    from agentorch.cli.journal_work import compact_journal
    from agentorch.cli.settings import setup

    leave_with(compact_journal(before, runs or (), setup(journal=journal), json=json))
