import asyncio
import operator
from typing import Annotated, TypedDict

from langchain_core.language_models import FakeListChatModel
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy
from source import LINE, look_up

# In your program: init_chat_model("openai:gpt-5-mini")
model = FakeListChatModel(responses=[LINE])


class State(TypedDict):
    facts: Annotated[list[str], operator.add]
    line: str


async def bees(state: State) -> dict:
    return {"facts": [look_up("bees")]}


async def ants(state: State) -> dict:
    return {"facts": [look_up("ants")]}


async def writer(state: State) -> dict:
    prompt = f"Write one line from the facts: {state['facts']}"
    answer = await model.ainvoke(prompt)
    return {"line": answer.content}


again = RetryPolicy(
    max_attempts=2,
    initial_interval=0.1,
    retry_on=ConnectionError,
)

graph = StateGraph(State)
graph.add_node("bees", bees, retry_policy=again)
graph.add_node("ants", ants, retry_policy=again)
graph.add_node("writer", writer)
graph.add_edge(START, "bees")
graph.add_edge(START, "ants")
graph.add_edge(["bees", "ants"], "writer")
graph.add_edge("writer", END)

nothing = {"facts": [], "line": ""}
result = asyncio.run(graph.compile().ainvoke(nothing))
print(result["line"])
