"""LangGraph with its SQLite saver, put through `tests.faults.calls`: run by a Python that has it, see `beside`.

Three ways to write the same work: a node for each task with its default durability, the same with `sync`, and the
functional API with a `@task` for each model call, which is as fine as it can be kept.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import json
import operator
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph

from tests.faults.calls import CALLS, LATENCY, TASKS, Calls, kill_everywhere

CONFIG: Any = {"configurable": {"thread_id": "work"}}


class State(TypedDict):
    """What the nodes hand on."""

    said: Annotated[list[str], operator.add]


def asked(calls: Calls, number: int, call: int) -> str:
    """Ask the model."""
    key = f"task {number} call {call}"
    calls.begin(key)
    time.sleep(LATENCY)
    calls.end(key)
    return f"said {key}"


def graph(durability: Any) -> Callable[[Calls], None]:
    """Return the work as a graph."""

    def work(calls: Calls) -> None:
        def node(number: int) -> Callable[[State], dict[str, Any]]:
            return lambda _: {"said": [asked(calls, number, call) for call in range(CALLS)]}

        builder = StateGraph(State)
        for number in range(TASKS):
            builder.add_node(f"task{number}", node(number))
            builder.add_edge(f"task{number - 1}" if number else START, f"task{number}")
        builder.add_edge(f"task{TASKS - 1}", END)
        with closing(sqlite3.connect(calls.folder / "saved.db", check_same_thread=False)) as connection:
            compiled = builder.compile(checkpointer=SqliteSaver(connection))
            begun = compiled.get_state(CONFIG).created_at is not None
            compiled.invoke(None if begun else {"said": []}, CONFIG, durability=durability)

    return work


def functional(calls: Calls) -> None:
    """Do the work by the functional API."""

    @task
    def ask(number: int, call: int) -> str:
        return asked(calls, number, call)

    with closing(sqlite3.connect(calls.folder / "saved.db", check_same_thread=False)) as connection:

        @entrypoint(checkpointer=SqliteSaver(connection))
        def story(_: str) -> list[str]:
            return [ask(number, call).result() for number in range(TASKS) for call in range(CALLS)]

        begun = story.get_state(CONFIG).created_at is not None
        story.invoke(None if begun else "go", CONFIG, durability="sync")


if __name__ == "__main__":
    WORKS = {
        "LangGraph, a node for each task, durability async (default)": graph("async"),
        "LangGraph, a node for each task, durability sync": graph("sync"),
        "LangGraph, a @task for each model call, durability sync": functional,
    }
    figures = [kill_everywhere(name, work) for name, work in WORKS.items()]
    sys.stdout.write(json.dumps([asdict(figure) for figure in figures]) + "\n")
