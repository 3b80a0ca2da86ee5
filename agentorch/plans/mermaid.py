"""A plan as a Mermaid flowchart."""

from agentorch.core.references import with_needs
from agentorch.core.task import Graph


def mermaid_of(graph: Graph) -> str:
    """Return the flowchart: a box for each task with its agent, an arrow for each need."""
    known = {task.id: f"t{index}" for index, task in enumerate(graph.tasks)}
    lines = ["flowchart TD"]
    lines.extend(f'    {known[task.id]}["{_label(task.id)}<br/>{_label(task.agent)}"]' for task in graph.tasks)
    for task in graph.tasks:
        needs = with_needs(task, known).needs
        lines.extend(f"    {known[need]} --> {known[task.id]}" for need in needs if need in known)
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line.replace("&", "&amp;").replace('"', "#quot;").replace("<", "&lt;").replace(">", "&gt;")
