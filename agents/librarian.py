"""The librarian: says what the user's files say about a question, word for word, with citations. Needs no model."""

from agentorch.agents import agent
from agentorch.library import Findings, Library


@agent(
    description="Finds passages about a question in the user's files and documents, cited as path:line.",
    capabilities=["search-files", "answer-question"],
)
def librarian(question: str, library: Library) -> Findings:
    """Search the folders given; say plainly when they hold nothing about the question."""
    return library.ask(question)
