import asyncio
import operator
from typing import Annotated, TypedDict

from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy
from source import LINE, look_up

model = FakeListChatModel(responses=[LINE])  # in your program: init_chat_model("openai:gpt-5-mini")


class State(TypedDict):
    facts: Annotated[list[str], operator.add]
    line: str


async def bees(state: State) -> dict:
    return {"facts": [look_up("bees")]}


async def ants(state: State) -> dict:
    return {"facts": [look_up("ants")]}


async def writer(state: State) -> dict:
    answer = await model.ainvoke(f"Write one line from the facts: {state['facts']}")
    return {"line": answer.content}


again = RetryPolicy(max_attempts=2, initial_interval=0.1, retry_on=ConnectionError)

graph = StateGraph(State)
graph.add_node("bees", bees, retry_policy=again)
graph.add_node("ants", ants, retry_policy=again)
graph.add_node("writer", writer)
graph.add_edge(START, "bees")
graph.add_edge(START, "ants")
graph.add_edge(["bees", "ants"], "writer")
graph.add_edge("writer", END)

result = asyncio.run(graph.compile().ainvoke({"facts": [], "line": ""}))
print(result["line"])
