"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    list[str] | None,
    typer.Option("--model", "-m", metavar="NAME", help="Language model; several are tried in order. [AGENTORCH_MODEL]"),
]
Agents = Annotated[
    list[str] | None,
    typer.Option("--agents", "-a", metavar="PATH", help="Agent file or folder, or builtin/NAME; makes the whole team."),
]
Files = Annotated[
    list[str] | None,
    typer.Option("--files", "-f", metavar="DIR", help="Folder or file that agents may read."),
]
Journal = Annotated[
    str | None,
    typer.Option("--journal", metavar="FILE", help="Where runs are kept; memory: for nowhere. [AGENTORCH_JOURNAL]"),
]
Project = Annotated[
    Path | None,
    typer.Option("--project", metavar="DIR", help="Folder with agents/ and prompts/. [AGENTORCH_PROJECT]"),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", "-i", metavar="NAME=VALUE", help="A value for $inputs.NAME: JSON, or else text."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="Say nothing while it runs.")]
Parallel = Annotated[int | None, typer.Option("--parallel", min=1, metavar="N", help="Tasks at once; 32 by default.")]
MaxTokens = Annotated[int | None, typer.Option("--max-tokens", min=0, metavar="N", help="Tokens, in and out.")]
MaxMoney = Annotated[float | None, typer.Option("--max-money", min=0, metavar="USD", help="US dollars.")]
MaxCalls = Annotated[int | None, typer.Option("--max-calls", min=0, metavar="N", help="Model calls.")]
Timeout = Annotated[float | None, typer.Option("--timeout", min=0.001, metavar="S", help="Seconds for the whole run.")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or last.")]
RestartChanged = Annotated[
    bool, typer.Option("--restart-changed", help="Begin afresh what agents that have changed had begun.")
]
AcceptChanges = Annotated[bool, typer.Option("--accept-changes", help="Go on although agents have changed.")]
Status = Annotated[str | None, typer.Option("--status", metavar="WORD", help="Only these: failed, interrupted ...")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="At most so many.")]
